import { PACKER_VERSION } from "../version-constraint.ts";

/** The keys of a JSON template: their types in words, and what they are for. */
export const ROOT_KEYS = {
  builders: {
    type: "list of objects",
    meaning: "What to build. Each has a `type`, and a `name` if two have the same type",
  },
  provisioners: { type: "list of objects", meaning: "What changes the image, in this order" },
  "error-cleanup-provisioner": {
    type: "object",
    meaning: "A provisioner that runs in the image when one of the others has failed",
  },
  "post-processors": { type: "list", meaning: "What is done with each image that is complete" },
  variables: {
    type: "object of strings",
    meaning: "User variables and their defaults; `null` means that a value must be given with `-var` or `-var-file`",
  },
  "sensitive-variables": {
    type: "list of strings",
    meaning: "User variables whose values are never shown, if they have 4 characters or more",
  },
  description: { type: "string", meaning: "What the template is for" },
  min_packer_version: {
    type: "string",
    meaning: `The oldest Packer that the template is for; amibake reads those of ${PACKER_VERSION}`,
  },
} as const;
