import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { nearMiss } from "../../../base/suggest.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import { parseType } from "../evaluate/parse-type.ts";
import { parseHclExpression } from "../syntax/parse-hcl.ts";
import type { Block, Expression } from "../syntax/syntax-tree.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import type { HclType, HclValue } from "../values/value.ts";
import { addTwice } from "./add-twice.ts";
import { blocksOf } from "./body-blocks.ts";
import { readFlag, readText } from "./constants.ts";
import { type Evaluation, tryEvaluate } from "./evaluation.ts";
import { literalText } from "./literal-text.ts";
import { partOfExpression } from "./locate-part.ts";
import { checkName } from "./names.ts";
import type { RootBlocks } from "./root-blocks.ts";
import { isJsonFile } from "./template-files.ts";
import { readValidation, type Validation } from "./validations.ts";

/** A variable that the template declares. */
export interface InputVariable {
  readonly name: string;
  readonly location: SourceLocation;
  /** Without one: that of its default; of anything if there is none either. */
  readonly type: HclType | undefined;
  readonly description: string | undefined;
  readonly isSensitive: boolean;
  /** Missing without a default. "wrong" if it is, which has been told. */
  readonly defaultValue: HclValue | "wrong" | undefined;
  readonly validations: readonly Validation[];
}

/**
 * The variables of a template by name: those of `variable` blocks, and of `variables`, which give nothing but defaults.
 *
 * @param evaluation of defaults, which may ask nothing but the environment.
 */
export function declareVariables(
  blocks: Pick<RootBlocks, "variable" | "variables">,
  evaluation: Evaluation,
): Map<string, InputVariable> {
  const { problems } = evaluation;
  const declared = new Map<string, InputVariable>();
  const declare = (variable: InputVariable): void => {
    const first = declared.get(variable.name);
    if (first === undefined) declared.set(variable.name, variable);
    else addTwice("variable", variable.name, { first: first.location, second: variable.location }, problems);
  };
  for (const block of blocks.variables) {
    const { attributes, blocks: inner } = blocksOf(block.body, {}, problems);
    for (const { typeRange } of inner)
      problems.add('A "variables" block has no blocks in it', { location: typeRange.start });
    for (const { name, nameRange, value } of attributes.values()) {
      const defaultValue = tryEvaluate(value, evaluation) ?? "wrong";
      declare({
        name,
        location: nameRange.start,
        type: defaultValue === "wrong" ? undefined : typeOfDefault(defaultValue),
        description: undefined,
        isSensitive: false,
        defaultValue,
        validations: [],
      });
    }
  }
  for (const block of blocks.variable) declare(readVariable(block, evaluation));
  return declared;
}

const KEYS = ["type", "default", "description", "sensitive", "validation"];

function readVariable(block: Block, evaluation: Evaluation): InputVariable {
  const { problems } = evaluation;
  const { attributes, blocks } = blocksOf(block.body, { validation: [] }, problems);
  for (const { name, nameRange } of attributes.values()) {
    if (!KEYS.includes(name) || name === "validation") addUnknownKey(name, nameRange.start, problems);
  }
  for (const { type, typeRange } of blocks) {
    if (type !== "validation") addUnknownKey(type, typeRange.start, problems);
  }
  const [label] = block.labels;
  const name = label?.text ?? "";
  checkName("variable", label, problems);
  const type = readType(attributes.get("type")?.value, problems);
  const isSensitive = readFlag('"sensitive" of a variable', attributes.get("sensitive")?.value, problems);
  const defaultValue = readDefault(attributes.get("default")?.value, type, { ...evaluation, isSensitive });
  const isKnownDefault = defaultValue !== undefined && defaultValue !== "wrong";
  return {
    name,
    location: (label?.range ?? block.typeRange).start,
    type: type ?? (isKnownDefault ? typeOfDefault(defaultValue) : undefined),
    description: readText('"description" of a variable', attributes.get("description")?.value, problems),
    isSensitive,
    defaultValue,
    validations: blocks
      .filter((inner) => inner.type === "validation")
      .flatMap((inner) => readValidation(inner, name, evaluation)),
  };
}

function addUnknownKey(name: string, location: SourceLocation, problems: ProblemList): void {
  const meant = nearMiss(name, KEYS);
  const hint =
    meant === undefined ? `There are ${KEYS.map((key) => `"${key}"`).join(", ")}` : `Did you mean "${meant}"?`;
  problems.add(`Unknown key "${name}" of a variable`, { location, hint });
}

function readType(expression: Expression | undefined, problems: ProblemList): HclType | undefined {
  if (expression === undefined) return undefined;
  const { start } = expression.range;
  // JSON has no words without quotes.
  const text = isJsonFile(start.file) ? literalText(expression) : undefined;
  const written = text === undefined ? expression : parseHclExpression(start.file, text, problems);
  try {
    return written === undefined ? undefined : parseType(written);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    for (const { message, range, hint } of error.all) {
      problems.add(message, { location: text === undefined ? range.start : start, hint });
    }
    return undefined;
  }
}

/** As in Packer: `null` says nothing of the type. */
function typeOfDefault(value: HclValue): HclType | undefined {
  return value.content === null && value.type.kind === "dynamic" ? undefined : value.type;
}

function readDefault(
  expression: Expression | undefined,
  type: HclType | undefined,
  { isSensitive, ...evaluation }: Evaluation & { readonly isSensitive: boolean },
): InputVariable["defaultValue"] {
  if (expression === undefined) return undefined;
  const value = convertedDefault(expression, type, evaluation);
  // What is wrong with it quotes it.
  const { problems } = evaluation;
  if (value === "wrong" && isSensitive) problems.hideText(problems.linesOf(expression.range));
  return value;
}

function convertedDefault(
  expression: Expression,
  type: HclType | undefined,
  evaluation: Evaluation,
): HclValue | "wrong" {
  const value = tryEvaluate(expression, evaluation);
  if (value === undefined) return "wrong";
  if (type === undefined) return value;
  try {
    return convert(value, type);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    evaluation.problems.add(`"default"${error.path.length === 0 ? "" : ":"} ${error.message}`, {
      location: partOfExpression(expression, error.path).range.start,
      hint: error.hint,
    });
    return "wrong";
  }
}
