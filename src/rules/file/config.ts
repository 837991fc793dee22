import { type Priority, parsePriority } from "../../sdk/alert.ts";

/** One entry of `rules:`; entries apply in order. `rule` is a name or a pattern with `*`, `tag` is exact. */
export interface Selection {
  readonly enable: boolean;
  readonly rule?: string;
  /** Part of a name: Falco's former `-D`. */
  readonly part?: string;
  readonly tag?: string;
}

/** One entry of `append_output:`. */
export interface AppendOutput {
  readonly match?: {
    readonly rule?: string;
    readonly source?: string;
    /** The rule must have them all. */
    readonly tags?: readonly string[];
  };
  readonly extra_output?: string;
  /** A field by name, or names with formats. */
  readonly extra_fields?: readonly (string | Readonly<Record<string, string>>)[];
  /** Adds ` static_x=%static.x` for every static field. */
  readonly suggested_output?: boolean;
}

/** What falco.yaml says about rules and alerts; names are falco.yaml's. */
export interface RuleConfig {
  readonly rule_matching: "first" | "all";
  /** Rules less severe than this are compiled but not loaded. */
  readonly priority: Priority;
  readonly rules: readonly Selection[];
  readonly append_output: readonly AppendOutput[];
  /** Fields `static.<name>` with fixed text. */
  readonly static_fields: Readonly<Record<string, string>>;
  readonly json_output: boolean;
  readonly json_include_output_property: boolean;
  readonly json_include_message_property: boolean;
  readonly json_include_output_fields_property: boolean;
  readonly json_include_tags_property: boolean;
  readonly time_format_iso_8601: boolean;
}

/** What falco.yaml says where it says nothing. */
export const defaultRuleConfig: RuleConfig = {
  rule_matching: "first",
  priority: "Debug",
  rules: [],
  append_output: [],
  static_fields: {},
  json_output: false,
  json_include_output_property: true,
  json_include_message_property: false,
  json_include_output_fields_property: true,
  json_include_tags_property: true,
  time_format_iso_8601: false,
};

/** falco.yaml's `rule_matching`, in letters of any case, or Falco's complaint. */
export const parseMatching = (text: string): "first" | "all" | { readonly fault: string } => {
  const strategy = text.toLowerCase();
  return strategy === "first" || strategy === "all"
    ? strategy
    : { fault: `Unknown rule matching strategy "${text}"--must be one of first, all` };
};

/** falco.yaml's `priority`, or Falco's complaint. */
export const parseThreshold = (text: string): Priority | { readonly fault: string } =>
  parsePriority(text) ?? {
    fault: `Unknown priority "${text}"--must be one of emergency, alert, critical, error, warning, notice, informational, debug`,
  };
