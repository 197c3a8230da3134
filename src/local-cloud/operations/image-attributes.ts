import { ApiError, invalidCombination, invalidParameterValue, missingParameter } from "../protocol/api-error.ts";
import type { XmlObject, XmlValue } from "../protocol/xml.ts";
import { type ImageRecord, NO_PERMISSIONS, type ProductCode } from "../state/records.ts";
import { type Call, stopIfDryRun } from "./call.ts";
import type { Cloud } from "./cloud.ts";
import { ownAvailableImage, ownImage, protectionText } from "./images.ts";
import { modifiedPermissions, permissionItems } from "./permissions.ts";
import { imageId } from "./resource-ids.ts";

/** "The cooldown period is 24 hours" (EC2 User Guide, "Protect an AMI from deregistration"). */
const COOLDOWN_MS = 24 * 3_600_000;
/** "The upper limit for a deprecation date is 10 years from now" (EnableImageDeprecation). */
const DEPRECATION_YEARS_MAX = 10;

const ATTRIBUTES = [
  "description",
  "kernel",
  "ramdisk",
  "launchPermission",
  "productCodes",
  "blockDeviceMapping",
  "sriovNetSupport",
  "bootMode",
  "tpmSupport",
  "uefiData",
  "lastLaunchedTime",
  "imdsSupport",
  "deregistrationProtection",
] as const;

export function describeImageAttribute(call: Call): XmlObject {
  const { params, cloud } = call;
  const image = ownImage(call, imageId(params.required("ImageId")));
  const attribute = params.choice("Attribute", ATTRIBUTES);
  if (attribute === undefined) throw missingParameter("Attribute");
  if (attribute === "blockDeviceMapping") {
    // "The blockDeviceMapping attribute is deprecated. Using this attribute returns the Client.AuthFailure error."
    throw new ApiError("AuthFailure", "Unauthorized attempt to access restricted resource", 403);
  }
  stopIfDryRun(call);
  return { imageId: image.id, [attribute]: attributeValue(cloud, image, attribute) };
}

type Describable = Exclude<(typeof ATTRIBUTES)[number], "blockDeviceMapping">;

function attributeValue(cloud: Cloud, image: ImageRecord, attribute: Describable): XmlValue {
  const values: Readonly<Record<Describable, XmlValue>> = {
    description: { value: image.description },
    kernel: { value: image.kernelId },
    ramdisk: { value: image.ramdiskId },
    launchPermission: permissionItems(image.permissions),
    productCodes: image.productCodes.map((code) => ({ ...code })),
    sriovNetSupport: { value: image.sriovNetSupport },
    bootMode: { value: image.bootMode },
    tpmSupport: { value: image.tpmSupport },
    uefiData: { value: image.uefiData },
    lastLaunchedTime: { value: undefined },
    imdsSupport: { value: image.imdsSupport },
    deregistrationProtection: { value: protectionText(cloud, image) },
  };
  return values[attribute];
}

/** One attribute a call: `Attribute` with `Value` or the flat lists, or the attribute's own structure. */
export function modifyImageAttribute(call: Call): XmlObject {
  const { params, cloud } = call;
  const image = ownAvailableImage(call, imageId(params.required("ImageId")));
  const attribute = requestedAttribute(call);
  const changed = { ...image, ...change(call, image, attribute) };
  stopIfDryRun(call);
  cloud.state.images.put(image.id, changed);
  if (attribute === "productCodes") passProductCodesOn(cloud, changed);
  return { return: true };
}

export function resetImageAttribute(call: Call): XmlObject {
  const { params, cloud } = call;
  const image = ownAvailableImage(call, imageId(params.required("ImageId")));
  if (params.choice("Attribute", ["launchPermission"]) === undefined) throw missingParameter("Attribute");
  stopIfDryRun(call);
  cloud.state.images.put(image.id, { ...image, permissions: NO_PERMISSIONS });
  return { return: true };
}

export function enableImageDeprecation(call: Call): XmlObject {
  const { params, cloud } = call;
  const image = ownImage(call, imageId(params.required("ImageId")));
  const text = params.required("DeprecateAt");
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs))
    throw invalidParameterValue(`Invalid value '${text}' for deprecateAt. Expected an ISO 8601 time.`);
  const latest = new Date(cloud.clock.now());
  latest.setUTCFullYear(latest.getUTCFullYear() + DEPRECATION_YEARS_MAX);
  if (atMs < cloud.clock.now()) throw invalidParameterValue("The deprecation date must be in the future.");
  if (atMs > latest.getTime()) {
    throw invalidParameterValue(`The deprecation date must be within ${DEPRECATION_YEARS_MAX} years from now.`);
  }
  stopIfDryRun(call);
  // "If you specify a value for seconds, Amazon EC2 rounds the seconds to the nearest minute."
  const deprecationTime = new Date(Math.round(atMs / 60_000) * 60_000).toISOString();
  cloud.state.images.put(image.id, { ...image, deprecationTime });
  return { return: true };
}

export function disableImageDeprecation(call: Call): XmlObject {
  const image = ownImage(call, imageId(call.params.required("ImageId")));
  stopIfDryRun(call);
  call.cloud.state.images.put(image.id, { ...image, deprecationTime: undefined });
  return { return: true };
}

export function enableImageDeregistrationProtection(call: Call): XmlObject {
  const image = ownImage(call, imageId(call.params.required("ImageId")));
  const hasCooldown = call.params.boolean("WithCooldown") ?? false;
  stopIfDryRun(call);
  call.cloud.state.images.put(image.id, { ...image, deregistrationProtection: { enabled: true, hasCooldown } });
  return { return: hasCooldown ? "enabled-with-cooldown" : "enabled-without-cooldown" };
}

export function disableImageDeregistrationProtection(call: Call): XmlObject {
  const { cloud, params } = call;
  const image = ownImage(call, imageId(params.required("ImageId")));
  stopIfDryRun(call);
  const { enabled, hasCooldown } = image.deregistrationProtection;
  // A cooldown that runs goes on running.
  if (!enabled) return { return: protectionText(cloud, image) };
  const cooldownUntil = hasCooldown ? new Date(cloud.clock.now() + COOLDOWN_MS).toISOString() : undefined;
  const changed = { ...image, deregistrationProtection: { enabled: false, hasCooldown, cooldownUntil } };
  cloud.state.images.put(image.id, changed);
  return { return: protectionText(cloud, changed) };
}

type Modifiable = "description" | "launchPermission" | "productCodes" | "imdsSupport";

function requestedAttribute({ params }: Call): Modifiable {
  const named = params.choice("Attribute", ["description", "launchPermission", "productCodes", "imdsSupport"]);
  if (named !== undefined) return named;
  const given: Modifiable[] = [];
  if (params.has("Description")) given.push("description");
  if (params.has("LaunchPermission")) given.push("launchPermission");
  if (params.has("ProductCode")) given.push("productCodes");
  if (params.has("ImdsSupport")) given.push("imdsSupport");
  const [attribute, another] = given;
  if (attribute === undefined) throw invalidCombination("No attributes specified.");
  if (another !== undefined) throw invalidCombination("Fields for multiple attribute types specified.");
  return attribute;
}

function change(call: Call, image: ImageRecord, attribute: Modifiable): Partial<ImageRecord> {
  const { params } = call;
  switch (attribute) {
    case "description": {
      const description = params.text("Description.Value") ?? params.text("Value");
      if (description === undefined) throw missingParameter("Value");
      return { description };
    }
    case "launchPermission":
      return { permissions: modifiedPermissions(image.permissions, params, "LaunchPermission") };
    case "productCodes":
      return { productCodes: withProductCodes(image.productCodes, params.list("ProductCode")) };
    case "imdsSupport": {
      const value = params.string("ImdsSupport.Value") ?? params.string("Value");
      // "v2.0" can be set and never be taken back (EC2 User Guide, "Configure the AMI").
      if (value !== "v2.0")
        throw invalidParameterValue(`Invalid value '${value ?? ""}' for imdsSupport. Expected 'v2.0'.`);
      return { imdsSupport: value };
    }
  }
}

/** "After you add a product code to an AMI, it can't be removed" (ModifyImageAttribute, API reference of 2016). */
function withProductCodes(before: readonly ProductCode[], codes: readonly string[]): ProductCode[] {
  if (codes.length === 0) throw missingParameter("ProductCode");
  const wrong = codes.find((code) => !/^[A-Za-z0-9]{1,64}$/.test(code));
  if (wrong !== undefined)
    throw new ApiError("InvalidProductCode.Malformed", `The product code '${wrong}' is malformed`);
  const added = codes.map((productCode): ProductCode => ({ productCode, type: "marketplace" }));
  return [...new Map([...before, ...added].map((code) => [code.productCode, code])).values()];
}

/** A volume learns of its product codes from its snapshot, so the image's own snapshots get them. */
function passProductCodesOn({ state }: Cloud, image: ImageRecord): void {
  for (const { ebs } of image.mappings) {
    const snapshot = ebs?.snapshotId === undefined ? undefined : state.snapshots.get(ebs.snapshotId);
    if (snapshot === undefined || snapshot.ownerId !== image.ownerId) continue;
    state.snapshots.put(snapshot.id, { ...snapshot, productCodes: image.productCodes });
  }
}
