/** Undoes `encoding-type=url` of a listing, where a space is a plus; what is not such an encoding stays as it is. */
export function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch {
    return encoded;
  }
}
