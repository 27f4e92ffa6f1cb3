/**
 * Reads JSON (RFC 8259) token by token through a window that slides over the file, so that neither
 * the text nor a tree of objects is ever held whole. Numbers are those of JSON.parse to the last
 * bit. What a caller skips is still checked.
 */
import { UserError } from "../../src/pipeline/errors.js";
import { strictText } from "../../src/pipeline/strict-text.js";
import type { ByteSource } from "./byte-source.js";
import { fromDecimal } from "./decimal.js";
import { endOfObject, KeyTable } from "./key-table.js";

const windowBytes = 1 << 18;
/** A string or a number longer than this is refused: the window would grow without end. */
const longestToken = 1 << 27;
/** As many levels of nesting as Python's reader follows. */
const deepest = 1000;

// Bytes of the grammar. Beyond the window's end lies a 0, which no JSON text may contain.
const quote = 0x22,
  plus = 0x2b,
  comma = 0x2c,
  minus = 0x2d,
  dot = 0x2e,
  zero = 0x30,
  colon = 0x3a,
  upperE = 0x45,
  openBracket = 0x5b,
  backslash = 0x5c,
  closeBracket = 0x5d,
  lowerE = 0x65,
  openBrace = 0x7b,
  closeBrace = 0x7d;

export class JsonScanner {
  readonly file: string;
  readonly #source: ByteSource;
  #buffer: Buffer;
  /**
   * Next byte to read; a token that is being read starts here, and is kept when the window slides.
   */
  #at = 0;
  #end = 0;
  /** Offset in the file of buffer[0]. */
  #base = 0;
  #drained = false;
  /** Directly after an opening bracket, where no comma stands. */
  #fresh = false;

  /** @param file named in errors */
  constructor(file: string, source: ByteSource, window = windowBytes) {
    this.file = file;
    this.#source = source;
    this.#buffer = Buffer.alloc(window + 1);
    // A byte order mark is not JSON, yet Windows tools write it.
    if (this.#ahead(3) === "\xef\xbb\xbf") this.#at = 3;
  }

  /** The first byte of the next value; `{`, `[`, `"`, `-`, a digit, or a letter. */
  peek(): number {
    for (;;) {
      const c = this.#buffer[this.#at]!;
      if (c > 0x20) return c;
      if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) this.#at++;
      else if (this.#at < this.#end || !this.#slide()) throw this.syntax("a value");
    }
  }

  get atNumber(): boolean {
    const c = this.peek();
    return (
      (c >= zero && c < colon) || c === minus || c === 0x4e /* NaN */ || c === 0x49
    ); /* Infinity */
  }

  get atString(): boolean {
    return this.peek() === quote;
  }

  get atArray(): boolean {
    return this.peek() === openBracket;
  }

  get atObject(): boolean {
    return this.peek() === openBrace;
  }

  enterArray(): void {
    if (this.peek() !== openBracket) throw this.syntax("[");
    this.#at++;
    this.#fresh = true;
  }

  /** Moves to the array's next item; false past the last, with the bracket taken. */
  nextItem(): boolean {
    const c = this.peek();
    if (c === closeBracket) {
      this.#at++;
      this.#fresh = false;
      return false;
    }
    if (this.#fresh) {
      this.#fresh = false;
      return true;
    }
    if (c !== comma) throw this.syntax("a comma or ]");
    this.#at++;
    if (this.peek() === closeBracket) throw this.syntax("a value after the comma");
    return true;
  }

  enterObject(): void {
    if (this.peek() !== openBrace) throw this.syntax("{");
    this.#at++;
    this.#fresh = true;
  }

  /**
   * Moves to the object's next value: the index of its key in `keys`, `unknownKey`, or
   * `endOfObject` with the brace taken.
   */
  nextKey(keys: KeyTable): number {
    let c = this.peek();
    if (c === closeBrace) {
      this.#at++;
      this.#fresh = false;
      return endOfObject;
    }
    if (this.#fresh) this.#fresh = false;
    else {
      if (c !== comma) throw this.syntax("a comma or }");
      this.#at++;
      c = this.peek();
    }
    if (c !== quote) throw this.syntax("a key in double quotes");
    let found: number;
    const closing = this.#closingQuote();
    if (closing < 0) found = keys.names.indexOf(this.string());
    else {
      found = keys.find(this.#buffer, this.#at + 1, closing);
      this.#at = closing + 1;
    }
    if (this.peek() !== colon) throw this.syntax("a colon");
    this.#at++;
    return found;
  }

  /**
   * The number here, as JSON.parse would read it. NaN, Infinity and -Infinity, which Python writes,
   * are read as such: they are not JSON, but the caller can complain about them better.
   */
  number(): number {
    let c = this.peek();
    if (this.#end - this.#at < 64) this.#slide();
    const buffer = this.#buffer;
    let p = this.#at;
    const negative = c === minus;
    if (negative) c = buffer[++p]!;
    // Up to 9 + 9 digits as small integers, which multiply faster than doubles; leading zeros are
    // no digits.
    let high = 0;
    let low = 0;
    let digits = 0;
    let scale = 0;
    if (c === zero) {
      c = buffer[++p]!;
      if (c >= zero && c < colon) throw this.syntax("a number without leading zeros");
    } else if (c > zero && c < colon) {
      const first = p;
      do {
        if (p - first < 9) high = (high * 10 + (c - zero)) | 0;
        else if (p - first < 18) low = (low * 10 + (c - zero)) | 0;
        c = buffer[++p]!;
      } while (c >= zero && c < colon);
      digits = p - first;
    } else if (c === 0 && p === this.#end && this.#slide()) {
      return this.number();
    } else {
      return this.#named(negative);
    }
    if (c === dot) {
      const first = p + 1;
      c = buffer[++p]!;
      if (digits === 0) while (c === zero) c = buffer[++p]!;
      while (c >= zero && c < colon) {
        if (digits < 9) high = (high * 10 + (c - zero)) | 0;
        else if (digits < 18) low = (low * 10 + (c - zero)) | 0;
        digits++;
        c = buffer[++p]!;
      }
      scale = p - first;
      if (scale === 0 && p < this.#end) throw this.syntax("a digit after the decimal point");
    }
    if (c === lowerE || c === upperE) {
      c = buffer[++p]!;
      const down = c === minus;
      if (down || c === plus) c = buffer[++p]!;
      const first = p;
      let exponent = 0;
      while (c >= zero && c < colon) {
        if (exponent < 1e6) exponent = exponent * 10 + (c - zero);
        c = buffer[++p]!;
      }
      if (p === first && p < this.#end) throw this.syntax("a digit in the exponent");
      scale += down ? exponent : -exponent;
    }
    if (c === 0 && p === this.#end) {
      // The number touches the window's end: it may go on.
      if (this.#slide()) return this.number();
      const last = buffer[p - 1]!;
      if (last < zero || last >= colon) throw this.syntax("a digit");
    }
    let value = fromDecimal(high, low, digits, scale);
    if (Number.isNaN(value)) value = Math.abs(Number(buffer.toString("latin1", this.#at, p)));
    this.#at = p;
    return negative ? -value : value;
  }

  /**
   * The number here where it names something: its digits as text where a double would round them,
   * as 64-bit ids and times in nanoseconds.
   */
  idNumber(): number | string {
    this.peek();
    if (this.#end - this.#at < 64) this.#slide();
    const buffer = this.#buffer;
    let p = this.#at + (buffer[this.#at] === minus ? 1 : 0);
    const first = p;
    while (buffer[p]! >= zero && buffer[p]! < colon) p++;
    const c = buffer[p];
    if (p - first >= 16 && c !== dot && c !== lowerE && c !== upperE) {
      const text = buffer.toString("latin1", this.#at, p);
      if (!Number.isSafeInteger(Number(text))) {
        this.#at = p;
        return text;
      }
    }
    return this.number();
  }

  /** The string here, with its escapes resolved. */
  string(): string {
    if (this.peek() !== quote) throw this.syntax("a string");
    const closing = this.#closingQuote();
    if (closing >= 0) {
      const text = this.#text(this.#at + 1, closing);
      this.#at = closing + 1;
      return text;
    }
    // With escapes: the text between the outer quotes is itself JSON.
    const end = this.#stringEnd();
    const literal = this.#text(this.#at, end);
    try {
      const text = JSON.parse(literal) as string;
      this.#at = end;
      return text;
    } catch {
      throw this.syntax("a string with valid escapes");
    }
  }

  /** Bytes of the window as text: other encodings would make one name of several. */
  #text(from: number, to: number): string {
    const text = this.#buffer.toString("utf8", from, to);
    if (!text.includes("\ufffd")) return text;
    const path = `byte ${this.#base + from}`;
    return strictText(this.#buffer.subarray(from, to), { file: this.file, path });
  }

  /** True or false; a number counts as true unless it is 0. */
  flag(): boolean {
    if (this.atNumber) return this.number() !== 0;
    return this.#word() === "true";
  }

  get atNull(): boolean {
    return this.peek() === 0x6e;
  }

  get atFlag(): boolean {
    const c = this.peek();
    return c === 0x74 || c === 0x66 || this.atNumber;
  }

  /** Passes over the value here, whatever it is, and checks its grammar. */
  skip(depth = 0): void {
    const c = this.peek();
    if (c === quote) {
      this.#skipString();
    } else if (c === openBracket) {
      if (depth >= deepest) throw this.syntax(`at most ${deepest} levels of nesting`);
      this.enterArray();
      while (this.nextItem()) this.skip(depth + 1);
    } else if (c === openBrace) {
      if (depth >= deepest) throw this.syntax(`at most ${deepest} levels of nesting`);
      this.enterObject();
      while (this.nextKey(noKeys) !== endOfObject) this.skip(depth + 1);
    } else if (this.atNumber) {
      this.number();
    } else {
      this.#word();
    }
  }

  /** Checks that nothing but white space follows. */
  finish(): void {
    for (;;) {
      const c = this.#buffer[this.#at]!;
      if (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) this.#at++;
      else if (this.#at < this.#end) throw this.syntax("the end of the file");
      else if (!this.#slide()) return;
    }
  }

  /** What stands here, for an error: a short value as it is, else its kind. */
  found(): string {
    let c: number;
    try {
      c = this.peek();
    } catch {
      return "the end of the file";
    }
    if (c === openBracket) return "a list";
    if (c === openBrace) return "an object";
    if (c === quote) {
      const text = JSON.stringify(this.string());
      return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
    }
    return this.atNumber ? String(this.number()) : this.#word();
  }

  /** A complaint about the grammar at this byte. */
  syntax(expected: string): UserError {
    const rest = this.#buffer
      .toString("utf8", this.#at, Math.min(this.#end, this.#at + 20))
      .replace(/\ufffd+$/, "");
    return new UserError({
      code: "json-syntax",
      message: "not valid JSON",
      file: this.file,
      path: `byte ${this.#base + this.#at}`,
      expected,
      found: rest === "" ? "the end of the file" : JSON.stringify(rest),
      fix: "write the file again; it may be cut off",
    });
  }

  /**
   * The position of the quote that ends the string here, or -1 where it has an escape. The whole
   * string is then in the window.
   */
  #closingQuote(): number {
    let p = this.#at + 1;
    for (;;) {
      const c = this.#buffer[p]!;
      if (c === quote) return p;
      if (c === backslash) return -1;
      if (c >= 0x20) p++;
      else p = this.#beyond(p);
    }
  }

  /** The position after the string here, escapes and all, with the whole string in the window. */
  #stringEnd(): number {
    let p = this.#at + 1;
    for (;;) {
      const c = this.#buffer[p]!;
      if (c === quote) return p + 1;
      if (c === backslash && p + 1 < this.#end) p += 2;
      else if (c >= 0x20 && c !== backslash) p++;
      else p = this.#beyond(p);
    }
  }

  /**
   * At a byte that no string may have: the window's end (then slides, and returns where that byte
   * is now) or an error.
   */
  #beyond(p: number): number {
    const inside = this.#buffer[p] === backslash ? p + 1 < this.#end : p < this.#end;
    const into = p - this.#at;
    if (inside || !this.#slide()) {
      this.#at = p;
      throw this.syntax(
        inside ? "an escape instead of a bare control character" : "a closing quote",
      );
    }
    return this.#at + into;
  }

  /** Passes over a string of any length without holding it. */
  #skipString(): void {
    this.#at++;
    for (;;) {
      const buffer = this.#buffer;
      let p = this.#at;
      let c = buffer[p]!;
      while (c >= 0x20 && c !== quote && c !== backslash) c = buffer[++p]!;
      this.#at = p;
      if (c === quote) {
        this.#at++;
        return;
      }
      if (p === this.#end) {
        if (!this.#slide()) throw this.syntax("a closing quote");
        continue;
      }
      if (c !== backslash) throw this.syntax("an escape instead of a bare control character");
      const escape = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(this.#ahead(6));
      if (!escape) throw this.syntax("a valid escape");
      this.#at += escape[0].length;
    }
  }

  /** true, false or null. */
  #word(): string {
    this.peek();
    const word = /^[A-Za-z]*/.exec(this.#ahead(16))?.[0] ?? "";
    if (word !== "true" && word !== "false" && word !== "null") throw this.syntax("a value");
    this.#at += word.length;
    return word;
  }

  #named(negative: boolean): number {
    const name = /^-?(?:NaN|Infinity)/.exec(this.#ahead(9))?.[0];
    if (name === undefined) throw this.syntax("a number");
    this.#at += name.length;
    return name.endsWith("NaN") ? NaN : negative ? -Infinity : Infinity;
  }

  /** The next n bytes as text, fewer at the file's end. */
  #ahead(n: number): string {
    while (this.#end - this.#at < n && this.#slide());
    return this.#buffer.toString("latin1", this.#at, Math.min(this.#end, this.#at + n));
  }

  /**
   * Brings more of the file into the window, which grows where one token fills it. False at the
   * file's end.
   */
  #slide(): boolean {
    if (this.#drained) return false;
    const kept = this.#end - this.#at;
    if (this.#at > 0) {
      this.#buffer.copyWithin(0, this.#at, this.#end);
      this.#base += this.#at;
      this.#at = 0;
      this.#end = kept;
    } else if (kept === this.#buffer.length - 1) {
      if (kept >= longestToken)
        throw this.syntax(`a string or number of at most ${longestToken} bytes`);
      const larger = Buffer.alloc(kept * 2 + 1);
      this.#buffer.copy(larger, 0, 0, kept);
      this.#buffer = larger;
    }
    // The last byte stays free for the 0 that stops every loop.
    const n = this.#source(this.#buffer.subarray(0, this.#buffer.length - 1), this.#end);
    this.#end += n;
    this.#buffer[this.#end] = 0;
    this.#drained = n === 0;
    return n > 0;
  }
}

const noKeys = new KeyTable([]);
