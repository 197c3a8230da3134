import { invalidCombination, invalidParameterValue } from "../protocol/api-error.ts";
import type { Params } from "../protocol/query-params.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { Permissions } from "../state/records.ts";

/** Whether `accountId` was given the resource, itself or as everybody. */
export function isPermitted({ userIds, groups }: Permissions, accountId: string): boolean {
  return groups.includes("all") || userIds.includes(accountId);
}

export function permissionItems({
  userIds,
  groups,
  organizationArns,
  organizationalUnitArns,
}: Permissions): XmlObject[] {
  return [
    ...groups.map((group) => ({ group })),
    ...userIds.map((userId) => ({ userId })),
    ...organizationArns.map((organizationArn) => ({ organizationArn })),
    ...organizationalUnitArns.map((organizationalUnitArn) => ({ organizationalUnitArn })),
  ];
}

/**
 * Applies a modification in either of its forms: `<structure>.Add.N.UserId`, or
 * `OperationType` with `UserId.N` and the other flat lists.
 *
 * Packer sends the same accounts in both forms and no OperationType, and AWS takes
 * it: the structure then says what to do.
 *
 * @throws {ApiError} InvalidParameterValue, InvalidParameterCombination.
 */
export function modifiedPermissions(before: Permissions, params: Params, structure: string): Permissions {
  const nested = params.structure(structure);
  const flat = flatPermissions(params);
  const operation = params.choice("OperationType", ["add", "remove"]);
  if (nested.isEmpty && (operation === undefined || isEmpty(flat))) {
    throw invalidCombination("No operation specified for the permission change.");
  }
  const changed = without(merge(before, nestedPermissions(nested, "Add")), nestedPermissions(nested, "Remove"));
  if (operation === undefined) return changed;
  return operation === "add" ? merge(changed, flat) : without(changed, flat);
}

function nestedPermissions(structure: Params, operation: "Add" | "Remove"): Permissions {
  const items = structure.structures(operation);
  const values = (name: string) => items.flatMap((item) => item.string(name) ?? []);
  return checked({
    userIds: values("UserId"),
    groups: values("Group"),
    organizationArns: values("OrganizationArn"),
    organizationalUnitArns: values("OrganizationalUnitArn"),
  });
}

function flatPermissions(params: Params): Permissions {
  return checked({
    userIds: params.list("UserId"),
    groups: params.list("UserGroup"),
    organizationArns: params.list("OrganizationArn"),
    organizationalUnitArns: params.list("OrganizationalUnitArn"),
  });
}

type Claimed = Omit<Permissions, "groups"> & { readonly groups: readonly string[] };

function checked({ userIds, groups, ...organizations }: Claimed): Permissions {
  // Account ids are accepted with their dashes, as the console shows them.
  const accounts = userIds.map((id) => id.replaceAll("-", ""));
  const wrong = accounts.findIndex((id) => !/^\d{12}$/.test(id));
  if (wrong >= 0) throw invalidParameterValue(`Invalid user id: "${userIds[wrong]}"`);
  const otherGroup = groups.find((group) => group !== "all");
  if (otherGroup !== undefined)
    throw invalidParameterValue(`Invalid value '${otherGroup}' for group. Only 'all' is allowed.`);
  return { ...organizations, userIds: accounts, groups: groups.length > 0 ? ["all"] : [] };
}

function merge(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, (before, change) => [...new Set([...before, ...change])]);
}

function without(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, (before, change) => before.filter((value) => !change.includes(value)));
}

function combine(
  a: Permissions,
  b: Permissions,
  change: <T extends string>(before: readonly T[], change: readonly T[]) => T[],
): Permissions {
  return {
    userIds: change(a.userIds, b.userIds),
    groups: change(a.groups, b.groups),
    organizationArns: change(a.organizationArns, b.organizationArns),
    organizationalUnitArns: change(a.organizationalUnitArns, b.organizationalUnitArns),
  };
}

function isEmpty(permissions: Permissions): boolean {
  return Object.values(permissions).every((values) => values.length === 0);
}
