import type { AlertLimits } from "../config/types.ts";
import { compileTemplate, type Template, TemplateError } from "../sdk/template/template.ts";

/** What the hub does to every alert it takes, ready to run. */
export interface AlertSettings {
  /** Written into output_fields, over fields of the same name. */
  readonly customfields: readonly (readonly [name: string, value: string])[];
  readonly customtags: readonly string[];
  /** Run over output_fields, in this order. */
  readonly templatedfields: readonly (readonly [name: string, template: Template])[];
  /** Replaces `[` in field names, `]` is removed; empty: names stay. */
  readonly bracketreplacer: string;
  /** Empty: outputs stay. */
  readonly outputfieldformat: string;
  readonly uuid: () => string;
  /** Of what senders post; absent: none. */
  readonly limits?: AlertLimits;
}

/** The configuration's part in it, as it was written. */
export interface AlertKeys {
  readonly customfields: Readonly<Record<string, string>>;
  readonly customtags: readonly string[];
  readonly templatedfields: Readonly<Record<string, string>>;
  readonly bracketreplacer: string;
  readonly outputfieldformat: string;
  readonly limits?: AlertLimits;
}

export interface SettingsProblem {
  /** `templatedfields.<name>` */
  readonly key: string;
  readonly message: string;
}

/** Compiles once. A template that does not parse is a problem and its field is left out. */
export const makeAlertSettings = (
  keys: AlertKeys,
  uuid: () => string,
): { readonly settings: AlertSettings; readonly problems: readonly SettingsProblem[] } => {
  const problems: SettingsProblem[] = [];
  const templatedfields: [string, Template][] = [];
  for (const [name, text] of Object.entries(keys.templatedfields)) {
    try {
      templatedfields.push([name, compileTemplate(text)]);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.push({ key: `templatedfields.${name}`, message: error.message });
    }
  }
  const { customtags, bracketreplacer, outputfieldformat, limits } = keys;
  const customfields = Object.entries(keys.customfields);
  return {
    settings: {
      customfields,
      customtags,
      templatedfields,
      bracketreplacer,
      outputfieldformat,
      uuid,
      ...(limits && { limits }),
    },
    problems,
  };
};
