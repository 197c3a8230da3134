import {
  consecutiveSubnets,
  formatIpNetwork,
  hostAddress,
  IpNetworkError,
  networkMask,
  parseIpNetwork,
  subnet,
} from "../../ip-network/ip-network.ts";
import { listValue, stringValue } from "../values/construct.ts";
import { type HclValue, NUMBER, STRING } from "../values/value.ts";
import {
  blame,
  countAt,
  type HclFunctionGroup,
  integerAt,
  numberParameter,
  STRING_LIST,
  textAt,
  textParameter,
} from "./arguments.ts";

const prefix = textParameter("prefix");

export const NETWORK_FUNCTIONS: HclFunctionGroup = {
  cidrhost: {
    usage: 'cidrhost("10.12.112.0/20", 16)',
    summary: "The address of a host in a network, by its number; -1 is the last one",
    parameters: [prefix, numberParameter("hostnum")],
    returnType: STRING,
    call: (args) => stringValue(blame(IpNetworkError, 1, () => hostAddress(networkAt(args), integerAt(args, 1)))),
  },
  cidrnetmask: {
    usage: 'cidrnetmask("172.16.0.0/12")',
    summary: "The mask of a network: 255.240.0.0",
    parameters: [prefix],
    returnType: STRING,
    call: (args) => stringValue(networkMask(networkAt(args))),
  },
  cidrsubnet: {
    usage: 'cidrsubnet("172.16.0.0/12", 4, 2)',
    summary: "The part of a network with so many bits more and that number",
    parameters: [prefix, numberParameter("newbits"), numberParameter("netnum")],
    returnType: STRING,
    call: (args) => {
      const part = blame(IpNetworkError, 1, () => subnet(networkAt(args), countAt(args, 1), integerAt(args, 2)));
      return stringValue(formatIpNetwork(part));
    },
  },
  cidrsubnets: {
    usage: 'cidrsubnets("10.1.0.0/16", 4, 4, 8)',
    summary: "Consecutive parts of a network, each with so many bits more",
    parameters: [prefix],
    variadic: { name: "newbits", type: NUMBER },
    returnType: STRING_LIST,
    call: (args) => {
      const newBits = args.slice(1).map((_arg, index) => countAt(args, index + 1));
      const parts = blame(IpNetworkError, 0, () => consecutiveSubnets(networkAt(args), newBits));
      return listValue(
        STRING,
        parts.map((part) => stringValue(formatIpNetwork(part))),
      );
    },
  },
};

function networkAt(args: readonly HclValue[]) {
  return blame(IpNetworkError, 0, () => parseIpNetwork(textAt(args, 0)));
}
