/**
 * Invisible characters, or those that change how those around them are seen: controls, those that turn the direction of
 * writing around, soft hyphens, zero widths, variation selectors, tags, fillers, half surrogates, line separators. With them,
 * two names look the same, or a name draws over what stands beside it. Not those that hold an emoji together: without them one
 * is another picture.
 */
export const UNPRINTABLE =
  /(?!\ufe0f(?<=\p{Extended_Pictographic}\ufe0f))(?!\u200d(?<=(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d)(?=\p{Extended_Pictographic}))[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Makes texts that others wrote (names, labels, owners, a store's errors) fit for one line of a terminal or a log. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = (character.codePointAt(0) as number).toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}
