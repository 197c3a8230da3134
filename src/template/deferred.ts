/**
 * Values that exist only while a build runs, by the name a template uses:
 * `Device`, `MountPath`, `SourceAMI`, … A tag of the source image is `SourceAMITags.<key>`.
 */
export type BuildVariables = Readonly<Record<string, string>>;

/**
 * Text of a template that needs build variables. Everything else in it (user
 * variables, functions) has been evaluated when the plan was made.
 */
export interface Deferred {
  /** As written in the template. */
  readonly source: string;
  /** The build variables it uses, e.g. `["Device"]`. Empty: it is text already, which `render({})` gives. */
  readonly needs: readonly string[];
  /**
   * A tag that the source image does not have renders as `<no value>`, as in Packer.
   *
   * @throws {ToolError} if a needed variable is missing.
   */
  render(variables: BuildVariables): string;
  /** Of one that may stand for any number of items of a list, as only the build tells how many they are: these. */
  readonly renderItems?: (variables: BuildVariables) => readonly string[];
}

/** Text that needs nothing. */
export function plainText(source: string): Deferred {
  return { source, needs: [], render: () => source };
}
