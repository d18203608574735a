// Parts of the OpenAPI description as text: types, example addresses, indented answers.

/**
 * @typedef {{$ref?: string, anyOf?: Schema[], enum?: unknown[], type?: string | string[], format?: string,
 *   items?: Schema, description?: string, properties?: Record<string, Schema>, required?: string[]}} Schema
 * @typedef {{name: string, in: string, description: string}} Parameter
 * @typedef {{description: string, content: Record<string, {schema: Schema}>}} Response
 * @typedef {{summary: string, parameters: Parameter[], responses: Record<string, Response>}} Operation
 * @typedef {{info: {version: string}, paths: Record<string, Record<string, Operation>>,
 *   components: {schemas: Record<string, Schema>}}} Description
 */

/** A schema as text: "string", "[Meter]", "number or null". @param {Schema} schema @returns {string} */
export function typeText(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.anyOf) return schema.anyOf.map(typeText).join(" or ");
  if (schema.enum) return schema.enum.map((choice) => JSON.stringify(choice)).join(" or ");
  if (schema.type === "array") return `[${schema.items ? typeText(schema.items) : "…"}]`;
  return [schema.format ?? schema.type ?? "any"].flat().join(" or ");
}

export const contentText = (/** @type {Response} */ { content }) =>
  Object.entries(content).map(([media, { schema }]) => `${typeText(schema)} as ${media}`).join(", ");

/**
 * The address of an operation below `base` with the parameters filled in.
 * @param {string} base
 * @param {string} path
 * @param {Parameter[]} parameters
 * @param {Record<string, string>} values
 */
export function addressOf(base, path, parameters, values) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name] || `{${name}}`));
  const url = new URL(filled.slice(1), base);
  for (const { name, in: place } of parameters) {
    if (place === "query" && values[name]) url.searchParams.set(name, values[name]);
  }
  return url;
}

/** The curl command; `streams`: the answer does not end. @param {URL} url @param {boolean} streams */
export const curl = (url, streams) => `curl ${streams ? "-N " : ""}'${decodeURI(url.href).replaceAll(" ", "%20")}'`;

/** JSON with line breaks and indentation; numbers keep their digits. @param {string} json */
export function indented(json) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  return json.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g, (token) => {
    if (token === "{" || token === "[") { depth += 1; return token + line(); }
    if (token === "}" || token === "]") { depth -= 1; return line() + token; }
    if (token === ",") return token + line();
    return token === ":" ? ": " : token;
  });
}
