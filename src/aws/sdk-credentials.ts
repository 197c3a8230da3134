// A file of its own for the same reason as sdk-region.ts.
export { fromNodeProviderChain } from "@aws-sdk/credential-providers";
