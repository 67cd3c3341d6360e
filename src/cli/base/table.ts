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
  /** Whether it may be left out where the terminal is narrower still, and when: the highest goes first. */
  readonly spare?: number;
}

const GAP = "  ";
const NARROWEST = 8;
/** What is left of a column when all that can be spared is gone. */
const LEAST = 3;

/** Lays out the lines of a table, its headings first. `maxWidth` is what a line may take up; infinite where nothing may be cut. */
export function tableLines<Row>(
  allColumns: readonly Column<Row>[],
  rows: readonly Row[],
  maxWidth: number,
  paint: Output["paint"],
): string[] {
  const natural = new Map(
    allColumns.map((column) => [
      column,
      rows.reduce((widest, row) => Math.max(widest, widthOf(column.text(row))), widthOf(column.heading)),
    ]),
  );
  const columns = fittingColumns(allColumns, natural, maxWidth);
  const widths = fittingWidths(
    columns,
    columns.map((column) => natural.get(column) as number),
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

/** Leaves out the columns that there is no room for, however much the others shrink. */
function fittingColumns<Row>(
  columns: readonly Column<Row>[],
  natural: ReadonlyMap<Column<Row>, number>,
  maxWidth: number,
): readonly Column<Row>[] {
  const least = (column: Column<Row>) => {
    const width = natural.get(column) as number;
    return column.canShrink ? Math.min(width, NARROWEST) : width;
  };
  let left = columns;
  const total = () => left.reduce((sum, column) => sum + least(column), GAP.length * (left.length - 1));
  while (total() > maxWidth) {
    const spare = left.reduce((most, column) => Math.max(most, column.spare ?? 0), 0);
    if (spare === 0) break;
    left = left.filter((column) => column.spare !== spare);
  }
  return left;
}

/** Takes from the widest that may shrink until a line fits, or nothing is left to take. */
function fittingWidths<Row>(columns: readonly Column<Row>[], natural: readonly number[], maxWidth: number): number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > maxWidth) {
    const shrinkable = widths.map((width, index) => (columns[index]?.canShrink ? width : 0));
    const widest = Math.max(...shrinkable);
    if (widest <= LEAST) break;
    widths[shrinkable.indexOf(widest)] = widest - 1;
  }
  return widths;
}
