import type { EbsUsage } from "./ebs-api.ts";

// us-east-1; other regions differ by some percent. aws.amazon.com/ebs/pricing, "EBS direct APIs for Snapshots".
const USD_PER_1000 = { getSnapshotBlock: 0.003, putSnapshotBlock: 0.006, list: 0.0006, other: 0 } as const;

/**
 * What AWS bills for the requests, in US dollars. The storage of snapshots is apart from it, and so is traffic: what it
 * costs depends on where this host is, which amibake does not know.
 */
export function priceUsd(usage: Readonly<EbsUsage>): number {
  return Object.entries(USD_PER_1000).reduce(
    (sum, [kind, price]) => sum + (usage[kind as keyof EbsUsage] * price) / 1000,
    0,
  );
}

/** "1,204 gets, 31 puts, 1 listing: about $0.0038 for the requests, without traffic" */
export function describeUsage(usage: Readonly<EbsUsage>): string {
  const parts = [
    ...counted(usage.getSnapshotBlock, "get"),
    ...counted(usage.putSnapshotBlock, "put"),
    ...counted(usage.list, "listing"),
  ];
  if (parts.length === 0) return "no requests that cost";
  return `${parts.join(", ")}: ${formatUsd(priceUsd(usage))} for the requests, without traffic`;
}

function counted(count: number, noun: string): string[] {
  return count === 0 ? [] : [`${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`];
}

function formatUsd(price: number): string {
  if (price < 0.0001) return "less than $0.0001";
  return `about $${price.toFixed(price < 0.1 ? 4 : 2)}`;
}
