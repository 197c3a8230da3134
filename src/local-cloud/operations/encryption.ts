import { createHash } from "node:crypto";
import { ApiError } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import { type Call, type CallContext, stopIfDryRun } from "./call.ts";

/** What a request says about encryption, and what the content it starts from has. */
export interface EncryptionRequest {
  readonly encrypted: boolean | undefined;
  readonly kmsKeyId: string | undefined;
  readonly source?: { readonly encrypted: boolean; readonly kmsKeyId?: string | undefined } | undefined;
}

export interface Encryption {
  readonly encrypted: boolean;
  readonly kmsKeyId: string | undefined;
}

/**
 * Decides the encryption of a new volume or copy, by the rules of "Amazon EBS
 * encryption", EBS User Guide: encrypted stays encrypted, and encryption by
 * default makes everything else encrypted.
 *
 * The bytes are never encrypted here; only the labels are. See docs/fidelity.md.
 *
 * @throws {ApiError} InvalidParameterDependency, InvalidParameterCombination.
 */
export function planEncryption(call: Call, { encrypted, kmsKeyId, source }: EncryptionRequest): Encryption {
  if (kmsKeyId !== undefined && encrypted !== true) {
    throw new ApiError(
      "InvalidParameterDependency",
      "The parameter KmsKeyId requires the parameter Encrypted to be set.",
    );
  }
  const isByDefault = isEncryptedByDefault(call);
  if (encrypted === false && source?.encrypted === true) {
    throw new ApiError(
      "InvalidParameterCombination",
      "The parameter Encrypted cannot be false for an encrypted snapshot.",
    );
  }
  if (encrypted !== true && source?.encrypted !== true && !isByDefault)
    return { encrypted: false, kmsKeyId: undefined };
  if (kmsKeyId !== undefined) return { encrypted: true, kmsKeyId: keyArn(call, kmsKeyId) };
  return { encrypted: true, kmsKeyId: source?.kmsKeyId ?? defaultKeyArn(call) };
}

function keyArn({ region, caller }: CallContext, key: string): string {
  if (key.startsWith("arn:")) return key;
  return `arn:aws:kms:${region}:${caller.accountId}:${key.startsWith("alias/") ? key : `key/${key}`}`;
}

/** The key behind `alias/aws/ebs`: one for each account and region, always the same. */
export function defaultKeyArn({ region, caller }: CallContext): string {
  const hex = createHash("sha256").update(`ebs key ${caller.accountId} ${region}`).digest("hex");
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)];
  return `arn:aws:kms:${region}:${caller.accountId}:key/${uuid.join("-")}`;
}

function settingsKey({ region, caller }: CallContext): string {
  return `${caller.accountId} ${region}`;
}

export function isEncryptedByDefault(call: CallContext): boolean {
  return call.cloud.state.settings.get(settingsKey(call))?.encryptByDefault ?? false;
}

export function getEbsEncryptionByDefault(call: Call): XmlObject {
  return {
    ebsEncryptionByDefault: isEncryptedByDefault(call),
    sseType: isEncryptedByDefault(call) ? "sse-ebs" : "none",
  };
}

export function enableEbsEncryptionByDefault(call: Call): XmlObject {
  return setEncryptionByDefault(call, true);
}

export function disableEbsEncryptionByDefault(call: Call): XmlObject {
  return setEncryptionByDefault(call, false);
}

function setEncryptionByDefault(call: Call, encryptByDefault: boolean): XmlObject {
  stopIfDryRun(call);
  call.cloud.state.settings.put(settingsKey(call), { encryptByDefault });
  return { ebsEncryptionByDefault: encryptByDefault };
}

export function getEbsDefaultKmsKeyId(): XmlObject {
  return { kmsKeyId: "alias/aws/ebs" };
}
