import { parseSync } from "oxc-parser";

/**
 * Turns a file of the bundler's ES modules into CommonJS whose imports are constants. In the bundler's own CommonJS, each use
 * of an import calls two getters, and each export makes both.
 *
 * What is exported must have its value when the file has run, and no two files may import each other.
 *
 * @param {string} text of a file that imports and exports as the bundler writes it.
 * @returns {string}
 */
export function commonJsChunk(text) {
  const { program, module } = parseSync("chunk.js", text);
  const changes = [];
  let requires = "";
  let exported = "";
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") requires += requireOf(statement);
    else if (statement.type === "ExportNamedDeclaration" && statement.declaration === null && statement.source === null)
      exported += statement.specifiers.map(exportOf).join("");
    else if (/^(?:Ex|Im)port/.test(statement.type))
      throw new Error(`Cannot turn this into CommonJS: ${text.slice(statement.start, statement.start + 200)}`);
    else continue;
    changes.push({ ...statement, by: "" });
  }
  for (const { moduleRequest, ...place } of module.dynamicImports) {
    const request = text.slice(moduleRequest.start, moduleRequest.end);
    // Packages are for the bundler: their exports may be CommonJS's.
    if (/^"\.\//.test(request)) changes.push({ ...place, by: `Promise.resolve().then(()=>require(${request}))` });
  }
  return `${requires}${changed(text, changes)}\nmodule.exports={${exported}};`;
}

function changed(text, changes) {
  let result = "";
  let from = 0;
  for (const { start, end, by } of changes.sort((a, b) => a.start - b.start)) {
    result += text.slice(from, start) + by;
    from = end;
  }
  return result + text.slice(from);
}

function requireOf({ source, specifiers }) {
  const required = `require(${JSON.stringify(source.value)})`;
  if (specifiers.length === 0) return `${required};`;
  // Node's own modules are themselves what they export by default.
  const isWhole = ({ type }) =>
    type === "ImportNamespaceSpecifier" || (type === "ImportDefaultSpecifier" && source.value.startsWith("node:"));
  const whole = specifiers.filter(isWhole).map(({ local }) => `const ${local.name}=${required};`);
  const names = specifiers
    .filter((specifier) => !isWhole(specifier))
    .map(({ imported, local }) => `${imported?.name ?? "default"}:${local.name}`);
  return `${whole.join("")}${names.length === 0 ? "" : `const{${names.join()}}=${required};`}`;
}

function exportOf({ local, exported }) {
  return `${exported.name}:${local.name},`;
}
