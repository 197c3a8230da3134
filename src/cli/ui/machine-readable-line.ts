/** One line of Packer's `-machine-readable` format, with its line end: unix seconds, target, type, data. */
export function machineReadableLine(time: Date, target: string, type: string, data: readonly string[]): string {
  const escaped = data.map((field) =>
    field.replaceAll(",", "%!(PACKER_COMMA)").replaceAll("\r", "\\r").replaceAll("\n", "\\n"),
  );
  return `${[String(Math.floor(time.getTime() / 1000)), target, type, ...escaped].join(",")}\n`;
}
