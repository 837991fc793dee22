import { type Context, type Location, locationsOf, placeOf, snippetOf } from "./context.ts";

/** Falco's codes: the short name that text reports print in brackets, and the description of JSON reports. */
const described = {
  LOAD_ERR_FILE_READ: ["File read error", "File read error"],
  LOAD_ERR_YAML_PARSE: ["YAML parse error", "YAML parse error"],
  LOAD_ERR_YAML_VALIDATE: [
    "Error validating internal structure of YAML file",
    "Error validating internal structure of YAML file",
  ],
  LOAD_ERR_COMPILE_CONDITION: ["Error compiling condition", "Error compiling condition"],
  LOAD_ERR_COMPILE_OUTPUT: ["Error compiling output", "Error compiling output"],
  LOAD_ERR_VALIDATE: [
    "Error validating rule/macro/list/exception objects",
    "Error validating rule/macro/list/exception objects",
  ],
  LOAD_ERR_EXTENSION: ["Error in extension item", "Error in extension item"],
  LOAD_UNKNOWN_SOURCE: [
    "Unknown event source",
    "A rule has a unknown event source. This can occur when reading rules content without having a corresponding plugin loaded, etc. The rule will be silently ignored.",
  ],
  LOAD_UNSAFE_NA_CHECK: [
    "Unsafe <NA> comparison in condition",
    "Comparing a field value with <NA> is unsafe and can lead to unpredictable behavior of the rule condition. If you need to check for the existence of a field, consider using the 'exists' operator instead.",
  ],
  LOAD_NO_EVTTYPE: [
    "Condition has no event-type restriction",
    "A rule condition matches too many evt.type values. This has a significant performance penalty. Make the condition more specific by adding an evt.type field or further restricting the number of evt.type values in the condition.",
  ],
  LOAD_UNKNOWN_FILTER: [
    "Unknown field or event-type in condition or output",
    "A rule condition or output refers to a field or evt.type that does not exist. This is normally an error, but if a rule has a skip-if-unknown-filter property, the error is downgraded to a warning.",
  ],
  LOAD_UNUSED_MACRO: [
    "Unused macro",
    "A macro is defined in the rules content but is not used by any other macro or rule.",
  ],
  LOAD_UNUSED_LIST: [
    "Unused list",
    "A list is defined in the rules content but is not used by any other list, macro, or rule.",
  ],
  LOAD_UNKNOWN_ITEM: [
    "Unknown rules file item",
    "An unknown top-level object is in the rules content. It will be ignored.",
  ],
  LOAD_DEPRECATED_ITEM: ["Used deprecated item", "A deprecated item is employed by lists, macros, or rules."],
  LOAD_WARNING_EXTENSION: ["Warning in extension item", "An extension item has a warning"],
  LOAD_APPEND_NO_VALUES: [
    "Overriding/appending with no values",
    "A rule exception is overriding/appending with no values",
  ],
  LOAD_EXCEPTION_NAME_NOT_UNIQUE: [
    "Multiple exceptions defined with the same name",
    "A rule is defining multiple exceptions with the same name",
  ],
  LOAD_INVALID_MACRO_NAME: ["Invalid macro name", "A macro is defined with an invalid name"],
  LOAD_INVALID_LIST_NAME: ["Invalid list name", "A list is defined with an invalid name"],
  LOAD_COMPILE_CONDITION: ["Warning in rule condition", "A rule condition or output have been parsed with a warning"],
  LOAD_UNKNOWN_KEY: [
    "Unknown key in item definition",
    "An item in the rules content contains an unrecognized key. The key will be ignored. This may indicate a typo or a property placed on the wrong item type.",
  ],
} as const;

export type Code = keyof typeof described;

export interface RuleProblem {
  readonly severity: "error" | "warning";
  readonly code: Code;
  /** Short name in brackets; a deprecated field adds its name. */
  readonly title: string;
  readonly codedesc: string;
  readonly message: string;
  /** The file as it was named, and where in it (0-based line and column, in bytes). */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** From the file to the token; a place in a condition counts as Falco does (see context.ts). */
  readonly locations: readonly Location[];
  /** The line and, below it, a caret. */
  readonly snippet: string;
  /** The field that a deprecation is about. */
  readonly deprecatedField?: string;
  /** Falco stops a file at its first error; what was found behind it has this mark. */
  readonly later: boolean;
}

export const problem = (
  code: Code,
  message: string,
  context: Context,
  options: { readonly later?: boolean; readonly deprecatedField?: string } = {},
): RuleProblem => {
  const [title, codedesc] = described[code];
  const yaml = yamlPlace(context);
  return {
    severity: code.startsWith("LOAD_ERR_") ? "error" : "warning",
    code,
    title: options.deprecatedField === undefined ? title : `${title}: field '${options.deprecatedField}'`,
    codedesc,
    message,
    file: context.file.name,
    line: yaml.line,
    column: yaml.column,
    locations: locationsOf(context),
    snippet: snippetOf(context),
    ...(options.deprecatedField !== undefined && { deprecatedField: options.deprecatedField }),
    later: options.later ?? false,
  };
};

/** The innermost place that is a real place in the file. */
const yamlPlace = (context: Context): { line: number; column: number } =>
  context.condition !== undefined && context.parent !== undefined ? yamlPlace(context.parent) : placeOf(context);

/** Stops the reading or compiling of one item. */
export class RulesError extends Error {
  override readonly name = "RulesError";
  readonly code: Code;
  readonly context: Context;
  constructor(code: Code, message: string, context: Context) {
    super(message);
    this.code = code;
    this.context = context;
  }
}
