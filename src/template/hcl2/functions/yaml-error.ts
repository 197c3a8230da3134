/** A text that is no YAML, or none that a value can be made of. The message is a clause. */
export class YamlError extends Error {
  override readonly name = "YamlError";
}
