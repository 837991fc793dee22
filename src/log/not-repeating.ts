/** Writes what is said once a minute, however often it is said: an outage makes every consumer say the same. */
export const notRepeating = <L>(write: (level: L, message: string) => void, now: () => number): typeof write => {
  const said = new Map<string, number>();
  return (level, message) => {
    const at = now();
    for (const [text, when] of said) if (at - when >= 60_000) said.delete(text);
    if (said.has(message)) return;
    said.set(message, at);
    write(level, message);
  };
};
