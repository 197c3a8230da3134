import * as z from "zod/mini";
import { STRING } from "../../hcl2/values/value.ts";
import { described } from "../fields.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "http"`. */
export const httpDataSchema = z.strictObject({
  url: described(z.string().check(z.regex(/^https?:\/\//, 'must start with "http://" or "https://"')), "What is asked"),
  method: described(
    z._default(z.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]), "GET"),
    "HTTP method",
  ),
  request_headers: described(z._default(z.record(z.string(), z.string()), {}), "Headers of the request"),
  request_body: described(z.optional(z.string()), "Body of the request"),
});

export type HttpDataConfig = z.infer<typeof httpDataSchema>;

export const httpData: DataSource<HttpDataConfig> = {
  type: "http",
  schema: httpDataSchema,
  // Packer's name for the headers of the response.
  outputs: { url: STRING, body: STRING, request_headers: { kind: "map", element: STRING } },
  keysNotYet: [],
};
