/** The rule engine that this one speaks like. */
export interface Version {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** `x.y.z`, what follows is ignored (`0.63.0-rc1`); undefined: not a version. */
export const parseVersion = (text: string): Version | undefined => {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (found === null) return undefined;
  return { text, major: Number(found[1]), minor: Number(found[2]), patch: Number(found[3]) };
};

export const engineVersion: Version = { text: "0.63.0", major: 0, minor: 63, patch: 0 };

/** A bare number N in `required_engine_version` stands for 0.N.0. */
export const implicitVersion = (n: number): Version => ({ text: `0.${n}.0`, major: 0, minor: n, patch: 0 });

export const compareVersions = (a: Version, b: Version): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch;

/** Same major, and not older than what is asked for. */
export const isCompatible = (have: Version, wanted: Version): boolean =>
  have.major === wanted.major && compareVersions(have, wanted) >= 0;

export interface LoadedPlugin {
  readonly name: string;
  readonly version: string;
}

/**
 * What is wrong with the plugins that are here for a file's requirements, in Falco's words; undefined: nothing. Who names
 * only plugins that are not here (`container`, `cloudtrail`) asks for what Falco has and this engine has no part in: that
 * is taken on trust. One of the alternatives will do.
 */
export const unmetRequirement = (
  requirements: readonly (readonly LoadedPlugin[])[],
  plugins: readonly LoadedPlugin[],
): string | undefined => {
  for (const alternatives of requirements) {
    const known = alternatives.flatMap((wanted) =>
      plugins.filter((plugin) => plugin.name === wanted.name).map((plugin) => ({ plugin, wanted })),
    );
    const [first] = known;
    if (first !== undefined && !known.some(({ plugin, wanted }) => accepts(plugin.version, wanted.version)))
      return `Plugin '${first.plugin.name}' version '${first.plugin.version}' is not compatible with required plugin version '${first.wanted.version}'`;
  }
  return undefined;
};

const accepts = (have: string, wanted: string): boolean => {
  const a = parseVersion(have);
  const b = parseVersion(wanted);
  return a !== undefined && b !== undefined && isCompatible(a, b);
};
