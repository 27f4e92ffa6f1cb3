import { FileAttachment } from "observablehq:stdlib";

/**
 * The files that hold cases, a few cells of a record or a few records each: a page loads those of
 * what it shows. Framework wants each by its name.
 */
export const detailParts = [
  FileAttachment("../data/details-0.json"),
  FileAttachment("../data/details-1.json"),
  FileAttachment("../data/details-2.json"),
  FileAttachment("../data/details-3.json"),
  FileAttachment("../data/details-4.json"),
  FileAttachment("../data/details-5.json"),
  FileAttachment("../data/details-6.json"),
  FileAttachment("../data/details-7.json"),
  FileAttachment("../data/details-8.json"),
  FileAttachment("../data/details-9.json"),
  FileAttachment("../data/details-10.json"),
  FileAttachment("../data/details-11.json"),
  FileAttachment("../data/details-12.json"),
  FileAttachment("../data/details-13.json"),
  FileAttachment("../data/details-14.json"),
  FileAttachment("../data/details-15.json"),
  FileAttachment("../data/details-16.json"),
  FileAttachment("../data/details-17.json"),
  FileAttachment("../data/details-18.json"),
  FileAttachment("../data/details-19.json"),
  FileAttachment("../data/details-20.json"),
  FileAttachment("../data/details-21.json"),
  FileAttachment("../data/details-22.json"),
  FileAttachment("../data/details-23.json"),
  FileAttachment("../data/details-24.json"),
  FileAttachment("../data/details-25.json"),
  FileAttachment("../data/details-26.json"),
  FileAttachment("../data/details-27.json"),
  FileAttachment("../data/details-28.json"),
  FileAttachment("../data/details-29.json"),
  FileAttachment("../data/details-30.json"),
  FileAttachment("../data/details-31.json"),
];

export const outcomeParts = [
  FileAttachment("../data/outcomes-0.bin"),
  FileAttachment("../data/outcomes-1.bin"),
  FileAttachment("../data/outcomes-2.bin"),
  FileAttachment("../data/outcomes-3.bin"),
  FileAttachment("../data/outcomes-4.bin"),
  FileAttachment("../data/outcomes-5.bin"),
  FileAttachment("../data/outcomes-6.bin"),
  FileAttachment("../data/outcomes-7.bin"),
  FileAttachment("../data/outcomes-8.bin"),
  FileAttachment("../data/outcomes-9.bin"),
  FileAttachment("../data/outcomes-10.bin"),
  FileAttachment("../data/outcomes-11.bin"),
  FileAttachment("../data/outcomes-12.bin"),
  FileAttachment("../data/outcomes-13.bin"),
  FileAttachment("../data/outcomes-14.bin"),
  FileAttachment("../data/outcomes-15.bin"),
];
