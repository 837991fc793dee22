/** The alert that falcosidekick sends on `/test`, as JSON text; its rule makes it pass every minimum priority. */
export const testAlert = (ms: number, rule = "Test rule", priority = "Debug"): string =>
  JSON.stringify({
    output: "This is a test from falcosidekick",
    priority,
    hostname: "falcosidekick",
    rule,
    time: `${new Date(ms).toISOString().slice(0, 19)}Z`,
    output_fields: { "proc.name": "falcosidekick", "user.name": "falcosidekick" },
    tags: ["test", "example"],
  });
