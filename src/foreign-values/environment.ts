import { readFileSync } from "node:fs";
import { reasonOf } from "../base/errors.ts";
import { ForeignValueError } from "../template/foreign-values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** As Go reads a truth. */
export function isSwitchedOn(value: string | undefined): boolean {
  return /^(?:1|t|T|true|TRUE|True)$/.test(value ?? "");
}

export function isSwitchedOff(value: string | undefined): boolean {
  return /^(?:0|f|F|false|FALSE|False)$/.test(value ?? "");
}

/** The file of certificates that a variable names, if it is set. @throws {ForeignValueError} */
export function readCertificates(variable: string, environment: Environment): string | undefined {
  const path = environment[variable];
  if (!path) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ForeignValueError(`Cannot read the certificates "${path}" of ${variable}: ${reasonOf(error)}`);
  }
}
