/**
 * The page with `text` between its marks `<!-- name:begin -->` and `<!-- name:end -->`. Throws where they are missing: what
 * is generated must not vanish with them.
 */
export const betweenMarks = (page: string, name: string, text: string): string => {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`;
};
