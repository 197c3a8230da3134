import type { CliContext } from "../cli-context.ts";
import { CHECK_GROUPS, type Check, type CheckGroup, WAYS, waysToBake } from "../doctor/check.ts";
import { type Distribution, installCommands, readDistribution } from "../doctor/distribution.ts";
import { checkHostItself, checkInstanceMetadata } from "../doctor/host-checks.ts";
import { checkPermissionsOn } from "../doctor/permissions.ts";
import { checkTools } from "../doctor/tools.ts";
import type { ExitCode } from "../exit-codes.ts";
import type { Colours } from "../ui/colours.ts";
import { chooseColours } from "../ui/create-renderer.ts";

export interface DoctorOptions {
  readonly aws?: boolean;
  readonly json?: boolean;
}

/** Tells what this host lacks. */
export async function runDoctor(options: DoctorOptions, context: CliContext): Promise<ExitCode> {
  const [distribution, tools, host, metadata] = await Promise.all([
    readDistribution(),
    checkTools(),
    checkHostItself({
      platform: process.platform,
      nodeVersion: process.version,
      isRoot: process.geteuid?.() === 0,
    }),
    checkInstanceMetadata(context.environment),
  ]);
  const permissions = options.aws ? await checkPermissionsOn(metadata, context) : [];
  const checks = [...host, ...tools, metadata.check, ...permissions];
  const install = installCommands(
    checks.filter(({ status }) => status === "missing"),
    distribution.packageManager,
  );
  const ways = waysToBake(checks);
  const isFit = ways.length > 0;
  if (options.json) {
    const text = JSON.stringify({ type: "doctor", canBake: isFit, ways, checks, install }, undefined, 2);
    context.stdout.write(`${context.secrets.hide(text)}\n`);
  } else {
    const lines = doctorText({ version: context.version, distribution, checks, install }, chooseColours(context));
    context.stdout.write(`${context.secrets.hide(lines.join("\n"))}\n`);
  }
  return isFit ? 0 : 4;
}

interface Findings {
  readonly version: string;
  readonly distribution: Distribution;
  readonly checks: readonly Check[];
  readonly install: readonly string[];
}

function doctorText({ version, distribution, checks, install }: Findings, colours: Colours): string[] {
  const groups = Object.keys(CHECK_GROUPS) as CheckGroup[];
  return [
    `amibake v${version}, Node ${process.version}, ${distribution.name}`,
    ...groups.flatMap((group) => {
      const lines = checks.filter((check) => check.group === group).flatMap((check) => checkText(check, colours));
      return lines.length === 0 ? [] : ["", `${colours.bold(CHECK_GROUPS[group])}:`, ...lines];
    }),
    ...(install.length === 0
      ? []
      : ["", colours.bold("To install what is missing:"), ...install.map((line) => `  ${line}`)]),
    "",
    verdict(checks),
  ];
}

const NAME_WIDTH = 28;

function checkText({ name, status, why, detail, fix }: Check, colours: Colours): string[] {
  const mark = status === "ok" ? colours.green("ok     ") : colours.red("missing");
  const first = `  ${mark}  ${name.padEnd(NAME_WIDTH)}${why}`;
  if (status === "ok") return [detail === undefined ? first : `${first}: ${detail}`];
  return [
    first,
    ...(detail === undefined ? [] : [`           ${detail}`]),
    ...(fix === undefined ? [] : [`           ${colours.cyan("hint:")} ${fix}`]),
  ];
}

function verdict(checks: readonly Check[]): string {
  const ways = waysToBake(checks).map((way) => WAYS[way]);
  if (ways.length === 0) return "This host cannot bake images yet.";
  return `This host can bake images ${new Intl.ListFormat("en-GB").format(ways)}.`;
}
