import type { CallContext } from "../operations/call.ts";
import { defaultKeyArn, type Encryption, isEncryptedByDefault } from "../operations/encryption.ts";
import type { SnapshotRecord } from "../state/records.ts";
import { invalid } from "./ebs-errors.ts";

const UNENCRYPTED: Encryption = { encrypted: false, kmsKeyId: undefined };
const KEY_ARN = /^arn:aws[a-z-]*:kms:.*:[0-9]{12}:key\/.*$/;

export interface UploadEncryption {
  readonly encrypted: boolean | undefined;
  readonly kmsKeyArn: string | undefined;
  readonly parent: SnapshotRecord | undefined;
}

/**
 * The encryption of a snapshot that is to be written: "Encryption outcomes" of the EBS direct APIs, EBS User Guide.
 *
 * @throws {ApiError} ValidationException for the combinations that its table refuses.
 */
export function planUploadEncryption(call: CallContext, request: UploadEncryption): Encryption {
  const { encrypted, kmsKeyArn, parent } = request;
  if (kmsKeyArn !== undefined && !KEY_ARN.test(kmsKeyArn)) {
    throw invalid("INVALID_CUSTOMER_KEY", `The KMS key ARN '${kmsKeyArn}' is not valid.`);
  }
  return parent === undefined ? withoutParent(call, encrypted, kmsKeyArn) : ofParent(call, request, parent);
}

function ofParent(call: CallContext, { encrypted, kmsKeyArn }: UploadEncryption, parent: SnapshotRecord): Encryption {
  if (encrypted !== undefined || kmsKeyArn !== undefined) {
    throw refused(`${encrypted === undefined ? "KmsKeyArn" : "Encrypted"} cannot be specified with ParentSnapshotId.`);
  }
  if (parent.encrypted) return { encrypted: true, kmsKeyId: parent.kmsKeyId };
  if (!isEncryptedByDefault(call)) return UNENCRYPTED;
  throw refused("The parent snapshot is not encrypted, and the account has encryption by default enabled.");
}

function withoutParent(call: CallContext, encrypted: boolean | undefined, kmsKeyArn: string | undefined): Encryption {
  const isByDefault = isEncryptedByDefault(call);
  if (encrypted === false && kmsKeyArn !== undefined)
    throw refused("KmsKeyArn cannot be specified without encryption.");
  if (encrypted === false && isByDefault) throw refused("The account has encryption by default enabled.");
  if (encrypted === true || isByDefault) return { encrypted: true, kmsKeyId: kmsKeyArn ?? defaultKeyArn(call) };
  // AWS's table has no row for a key with encryption neither asked for nor on by default.
  if (kmsKeyArn !== undefined) throw refused("KmsKeyArn cannot be specified without encryption.");
  return UNENCRYPTED;
}

function refused(message: string): Error {
  return invalid("INVALID_PARAMETER_VALUE", message);
}
