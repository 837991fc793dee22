/**
 * A path without its escapes, segment by segment as Go's router reads it; as it is when an escape is none, or stands for what
 * would make another path of it: a separator, a dot segment, a control character.
 */
export const decodePath = (path: string): string => {
  if (!path.includes("%")) return path;
  try {
    const segments = path.split("/").map(decodeURIComponent);
    return segments.some((segment) => /[/\\\0-\x1f\x7f]|^\.\.?$/.test(segment)) ? path : segments.join("/");
  } catch {
    return path;
  }
};
