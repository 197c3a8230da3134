// Networks of IPv4 and IPv6 and the addresses in them, with the notation and the rules of Go's net and go-cidr.

export interface IpNetwork {
  readonly addressBits: 32 | 128;
  /** The first address. */
  readonly address: bigint;
  readonly prefixBits: number;
}

/** Something that is no network, or has no room. The message is a clause. */
export class IpNetworkError extends Error {
  override readonly name = "IpNetworkError";
}

/** Reads `10.0.0.0/8` or `fd00::/8`. Bits of the address behind the prefix are dropped. @throws {IpNetworkError} */
export function parseIpNetwork(text: string): IpNetwork {
  const [, addressText = "", prefixText = ""] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const isV6 = addressText.includes(":");
  const address = isV6 ? parseV6(addressText) : parseV4(addressText);
  const addressBits = isV6 ? 128 : 32;
  const prefixBits = Number(prefixText);
  if (address === undefined || prefixText === "" || prefixBits > addressBits || /^0\d/.test(prefixText)) {
    throw new IpNetworkError(`"${text}" is no network in CIDR notation, such as "10.0.0.0/16" or "fd00::/48"`);
  }
  const hostBits = BigInt(addressBits - prefixBits);
  return { addressBits, address: (address >> hostBits) << hostBits, prefixBits };
}

export function formatIpNetwork(network: IpNetwork): string {
  return `${formatAddress(network.address, network.addressBits)}/${network.prefixBits}`;
}

/** The address of a host by its number: 0 is the network's own, -1 the last one. @throws {IpNetworkError} */
export function hostAddress(network: IpNetwork, hostNumber: bigint): string {
  const hostCount = 1n << BigInt(network.addressBits - network.prefixBits);
  if (hostNumber >= hostCount || hostNumber < -hostCount) {
    throw new IpNetworkError(
      `${formatIpNetwork(network)} has no host number ${hostNumber}: there are ${hostCount}, from 0 to ${hostCount - 1n}`,
    );
  }
  const offset = hostNumber < 0n ? hostCount + hostNumber : hostNumber;
  return formatAddress(network.address + offset, network.addressBits);
}

/** `255.255.0.0`; of IPv6 in its own notation. */
export function networkMask({ addressBits, prefixBits }: IpNetwork): string {
  const hostBits = BigInt(addressBits - prefixBits);
  return formatAddress((((1n << BigInt(addressBits)) - 1n) >> hostBits) << hostBits, addressBits);
}

/** The network of that number among those that the network is cut into. @throws {IpNetworkError} */
export function subnet(network: IpNetwork, newBits: number, subnetNumber: bigint): IpNetwork {
  const prefixBits = extendedPrefix(network, newBits, 0);
  const subnetCount = 1n << BigInt(newBits);
  if (subnetNumber < 0n || subnetNumber >= subnetCount) {
    throw new IpNetworkError(
      `${newBits} bits give ${subnetCount} networks, from 0 to ${subnetCount - 1n}: there is no number ${subnetNumber}`,
    );
  }
  const address = network.address + (subnetNumber << BigInt(network.addressBits - prefixBits));
  return { ...network, address, prefixBits };
}

/** Networks one behind the other, each of the size that its number of bits gives it. @throws {IpNetworkError} */
export function consecutiveSubnets(network: IpNetwork, newBits: readonly number[]): readonly IpNetwork[] {
  const end = network.address + (1n << BigInt(network.addressBits - network.prefixBits));
  let next = network.address;
  return newBits.map((bits) => {
    const prefixBits = extendedPrefix(network, bits, 1);
    const size = 1n << BigInt(network.addressBits - prefixBits);
    const address = ((next + size - 1n) / size) * size;
    if (address + size > end) {
      throw new IpNetworkError(`${formatIpNetwork(network)} has no room left for a network of /${prefixBits}`);
    }
    next = address + size;
    return { ...network, address, prefixBits };
  });
}

// So many bits Packer takes at once, which matters for IPv6 only.
const NEW_BITS_MAX = 32;

function extendedPrefix({ addressBits, prefixBits }: IpNetwork, newBits: number, newBitsMin: number): number {
  if (newBits < newBitsMin || newBits > NEW_BITS_MAX) {
    throw new IpNetworkError(`a prefix can be extended by ${newBitsMin} to ${NEW_BITS_MAX} bits, not by ${newBits}`);
  }
  const extended = prefixBits + newBits;
  if (extended <= addressBits) return extended;
  const family = addressBits === 32 ? "IPv4" : "IPv6";
  throw new IpNetworkError(
    `a prefix of ${prefixBits} bits and ${newBits} more are ${extended}: ${family} has ${addressBits}`,
  );
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  // A leading zero would be octal to some.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n);
}

function parseV6(text: string): bigint | undefined {
  const [, head = "", embedded = ""] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [];
  if (embedded !== "") {
    const v4 = parseV4(embedded);
    if (v4 === undefined) return undefined;
    return parseV6(`${head}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...new Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return undefined;
  return groups.reduce((address, group) => (address << 16n) | BigInt(`0x${group}`), 0n);
}

function formatAddress(address: bigint, addressBits: 32 | 128): string {
  if (addressBits === 32) return groupsOf(address, 4, 8n).join(".");
  // An IPv4 address in IPv6, which Go shows as that.
  if (address >> 32n === 0xffffn) return groupsOf(address & 0xffffffffn, 4, 8n).join(".");
  const groups = groupsOf(address, 8, 16n);
  const text = groups.map((group) => group.toString(16)).join(":");
  // RFC 5952: the first of the longest runs of two zeros or more.
  const [longest = ""] = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)]
    .map(([run]) => run)
    .sort((a, b) => b.length - a.length);
  if (longest === "") return text;
  const at = new RegExp(`(?<![^:])${longest}(?![^:])`).exec(text)?.index ?? 0;
  return `${text.slice(0, at).replace(/:$/, "")}::${text.slice(at + longest.length).replace(/^:/, "")}`;
}

function groupsOf(address: bigint, count: number, bits: bigint): bigint[] {
  const mask = (1n << bits) - 1n;
  return Array.from({ length: count }, (_, index) => (address >> (bits * BigInt(count - 1 - index))) & mask);
}
