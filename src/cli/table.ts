import type { Colour, Output } from "./output.js";
import { fitted, padded, widthOf } from "./text.js";

/** One column: what stands in it for a row. */
export interface Column<Row> {
  readonly heading: string;
  readonly text: (row: Row) => string;
  readonly align?: "right";
  readonly colour?: (row: Row) => Colour | undefined;
  /** Whether it may be cut where the terminal is too narrow. */
  readonly canShrink?: boolean;
}

const GAP = "  ";
const NARROWEST = 8;

/** The lines of a table, its headings first. `maxWidth` is what a line may take up; infinite where nothing may be cut. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  maxWidth: number,
  paint: Output["paint"],
): string[] {
  const widths = fittingWidths(
    columns,
    columns.map(({ heading, text }) =>
      rows.reduce((widest, row) => Math.max(widest, widthOf(text(row))), widthOf(heading)),
    ),
    maxWidth,
  );
  const lineOf = (
    textOf: (column: Column<Row>) => string,
    colourOf: (column: Column<Row>) => Colour | undefined,
  ): string => {
    const parts = columns.map((column, index) => {
      const isLast = index === columns.length - 1 && column.align === undefined;
      const width = widths[index] as number;
      const text = fitted(textOf(column), width);
      const cell = isLast ? text : padded(text, width, column.align);
      const colour = colourOf(column);
      return colour === undefined ? cell : paint(colour, cell);
    });
    return parts.join(GAP).trimEnd();
  };
  return [
    lineOf(
      ({ heading }) => heading,
      () => "bold",
    ),
    ...rows.map((row) =>
      lineOf(
        (column) => column.text(row),
        (column) => column.colour?.(row),
      ),
    ),
  ];
}

/** Takes from the widest that may shrink until a line fits, or nothing is left to take. */
function fittingWidths<Row>(columns: readonly Column<Row>[], natural: readonly number[], maxWidth: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > maxWidth) {
    const shrinkable = widths.map((width, index) => (columns[index]?.canShrink ? width : 0));
    const widest = Math.max(...shrinkable);
    if (widest <= NARROWEST) break;
    widths[shrinkable.indexOf(widest)] = widest - 1;
  }
  return widths;
}
