import * as z from "zod";
import { STRING } from "../../hcl2/values/value.ts";
import type { DataSource } from "./data-source.ts";

/** The keys of `data "http"`. */
export const httpDataSchema = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\//, 'must start with "http://" or "https://"')
    .describe("What is asked"),
  method: z.enum(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]).default("GET").describe("HTTP method"),
  request_headers: z.record(z.string(), z.string()).default({}).describe("Headers of the request"),
  request_body: z.string().optional().describe("Body of the request"),
});

export type HttpDataConfig = z.infer<typeof httpDataSchema>;

export const httpData: DataSource<HttpDataConfig> = {
  type: "http",
  schema: httpDataSchema,
  // Packer's name for the headers of the response.
  outputs: { url: STRING, body: STRING, request_headers: { kind: "map", element: STRING } },
  keysNotYet: [],
};
