import { invalidCombination, missingParameter } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import { NO_PERMISSIONS } from "../state/records.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import { modifiedPermissions, permissionItems } from "./permissions.ts";
import { snapshotId } from "./resource-ids.ts";
import { ownSnapshot } from "./snapshots.ts";

const ATTRIBUTES = ["createVolumePermission", "productCodes"] as const;

export function describeSnapshotAttribute(call: Call): XmlObject {
  const { params } = call;
  const snapshot = ownSnapshot(call, snapshotId(params.required("SnapshotId")));
  const attribute = params.choice("Attribute", ATTRIBUTES);
  if (attribute === undefined) throw missingParameter("Attribute");
  stopIfDryRun(call);
  if (attribute === "productCodes") {
    return { snapshotId: snapshot.id, productCodes: snapshot.productCodes.map((code) => ({ ...code })) };
  }
  return { snapshotId: snapshot.id, createVolumePermission: permissionItems(snapshot.permissions) };
}

export function modifySnapshotAttribute(call: Call): XmlObject {
  const { params, cloud } = call;
  const snapshot = ownSnapshot(call, snapshotId(params.required("SnapshotId")));
  params.choice("Attribute", ["createVolumePermission"]);
  const permissions = modifiedPermissions(snapshot.permissions, params, "CreateVolumePermission");
  if (snapshot.encrypted && permissions.groups.length > 0) {
    // "Encrypted snapshots … cannot be made public" (ModifySnapshotAttribute).
    throw invalidCombination("Encrypted snapshots cannot be shared with the group 'all'.");
  }
  stopIfDryRun(call);
  cloud.state.snapshots.put(snapshot.id, { ...snapshot, permissions });
  return { return: true };
}

export function resetSnapshotAttribute(call: Call): XmlObject {
  const { params, cloud } = call;
  const snapshot = ownSnapshot(call, snapshotId(params.required("SnapshotId")));
  const attribute = params.choice("Attribute", ["createVolumePermission"]);
  if (attribute === undefined) throw missingParameter("Attribute");
  stopIfDryRun(call);
  cloud.state.snapshots.put(snapshot.id, { ...snapshot, permissions: NO_PERMISSIONS });
  return { return: true };
}
