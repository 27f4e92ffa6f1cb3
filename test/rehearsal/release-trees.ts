import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { uniform } from "../../src/pipeline/seeded-random.js";

/**
 * Small trees in the layouts in which the paper's data sets are released: a few pictures each, the
 * folders, file names, headers and columns of the originals. Nothing of theirs is in them.
 */
export class ReleaseTrees {
  readonly #folder: string;
  readonly #pictures: readonly Buffer[];
  #next = 0;

  private constructor(folder: string, pictures: readonly Buffer[]) {
    this.#folder = folder;
    this.#pictures = pictures;
  }

  static async write(folder: string): Promise<void> {
    const trees = new ReleaseTrees(folder, await drawnPictures());
    trees.#coco("coco/annotations/instances_val2017.json", "coco/val2017", "000000000139.jpg");
    trees.#objects365();
    trees.#coco("RPC/instances_val2019.json", "RPC/val2019", "20180824-13-43-21-401.jpg");
    trees.#cartoonDetection();
    trees.#cartoonRecognition();
    trees.#logodet();
    trees.#aliproduct();
    trees.#veriWild();
    trees.#sop();
    trees.#inshop();
    trees.#products();
    trees.#landmarks();
    trees.#imagenet();
    trees.#testSet();
  }

  #text(path: string, text: string): void {
    const file = join(this.#folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  #lines(path: string, lines: readonly string[]): void {
    this.#text(path, lines.map((l) => `${l}\n`).join(""));
  }

  #picture(path: string): void {
    const file = join(this.#folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, this.#pictures[this.#next++ % this.#pictures.length]!);
  }

  #coco(annotations: string, images: string, ...names: string[]): void {
    const all = [...names, ...Array.from({ length: 5 }, (_, i) => `extra-${i}.jpg`)];
    for (const name of all) this.#picture(join(images, name));
    this.#cocoJson(annotations, all, ["person", "chair"]);
  }

  #cocoJson(path: string, names: readonly string[], categories: readonly string[]): void {
    const boxes = names.flatMap((_, i) => [
      { id: 2 * i + 1, image_id: i + 1, category_id: 1, bbox: [4, 6, 30, 28] },
      { id: 2 * i + 2, image_id: i + 1, category_id: 2, bbox: [30, 20, 24, 36] },
    ]);
    const document = {
      images: names.map((name, i) => ({ id: i + 1, file_name: name, width: side, height: side })),
      categories: categories.map((name, i) => ({ id: i + 1, name })),
      annotations: boxes.map((b) => ({ ...b, area: b.bbox[2]! * b.bbox[3]!, iscrowd: 0 })),
    };
    this.#text(path, JSON.stringify(document));
  }

  #objects365(): void {
    const names = Array.from(
      { length: 4 },
      (_, i) => `images/v1/patch8/objects365_v1_0042${i}.jpg`,
    );
    for (const name of names) this.#picture(join("Objects365/images/val", name));
    this.#cocoJson("Objects365/zhiyuan_objv2_val.json", names, ["Person", "Sneakers"]);
  }

  /** 75 pictures, of which every 25th is held out. */
  #cartoonDetection(): void {
    const root = "iCartoonFace/personai_icartoonface_dettrain";
    const names = Array.from({ length: 75 }, (_, i) => `personai_icartoonface_dettrain_${i}.jpg`);
    for (const name of names) this.#picture(`${root}/icartoonface_dettrain/${name}`);
    this.#lines(
      `${root}/icartoonface_dettrain.csv`,
      names.flatMap((name) => [`${name},5,5,40,44`, `${name},30,10,60,50`]),
    );
  }

  #cartoonRecognition(): void {
    const root = "iCartoonFace/personai_icartoonface_rectest/icartoonface_rectest";
    const faces = Array.from({ length: 12 }, (_, i) => {
      const name = `${String(i).padStart(7, "0")}.jpg`;
      this.#picture(`${root}/${name}`);
      return `${name}\t8\t8\t56\t58\t${i < 8 ? i % 4 : -1}`;
    });
    this.#lines("iCartoonFace/icartoonface_rectest_info.txt", faces);
    for (const id of ["00001", "00002"]) {
      const train = `iCartoonFace/personai_icartoonface_rectrain/icartoonface_rectrain`;
      const name = `personai_icartoonface_rectrain_${id}`;
      this.#picture(`${train}/${name}/${name}_0000001.jpg`);
    }
  }

  /** Two brands of 100 pictures: every 49th of a brand asks, every 79th of all is detection's. */
  #logodet(): void {
    for (const brand of ["Food/Acme Foods", "Clothes/Nonesuch"]) {
      for (let i = 1; i <= 100; i++) {
        this.#picture(`LogoDet-3K/${brand}/${i}.jpg`);
        this.#text(`LogoDet-3K/${brand}/${i}.xml`, vocOf(`${i}.jpg`, brand.split("/")[1]!));
      }
    }
  }

  #aliproduct(): void {
    const rows = Array.from({ length: 8 }, (_, i) => {
      const path = `val/0000${i % 3}/${i}.jpg`;
      this.#picture(`Aliproduct/${path}`);
      return `${path} ${i % 3} ${i}`;
    });
    this.#lines("Aliproduct/val_list.txt", rows);
  }

  #veriWild(): void {
    const split = "VeRI-Wild/train_test_split";
    const pictures = Array.from(
      { length: 9 },
      (_, i) => `0000${i % 3}/${String(i).padStart(6, "0")}`,
    );
    for (const name of pictures) this.#picture(`VeRI-Wild/images/${name}.jpg`);
    this.#lines(`${split}/test_3000.txt`, pictures.slice(3));
    this.#lines(`${split}/test_3000_query.txt`, pictures.slice(0, 3));
    this.#lines(`${split}/train_list.txt`, pictures.slice(0, 2));
    this.#lines(`${split}/vehicle_info.txt`, [
      "id/image;Camera ID;Time;Model;Type;Color",
      ...pictures.map((name, i) => `${name};${170 + (i % 4)};2018-03-11 07:57:22;A;SUV;white`),
    ]);
  }

  #sop(): void {
    const root = "Stanford_Online_Products";
    const of = (count: number, from: number): string[] =>
      Array.from({ length: count }, (_, i) => {
        const path = `bicycle_final/${from + i}_${i % 3}.JPG`;
        this.#picture(`${root}/${path}`);
        return `${from + i} ${from + (i % 3)} 1 ${path}`;
      });
    const header = "image_id class_id super_class_id path";
    this.#lines(`${root}/Ebay_train.txt`, [header, ...of(3, 1)]);
    this.#lines(`${root}/Ebay_test.txt`, [header, ...of(8, 11319)]);
  }

  #inshop(): void {
    const parts = ["train", "query", "query", "gallery", "gallery", "gallery"];
    const rows = parts.map((part, i) => {
      const path = `img/WOMEN/Dresses/id_0000000${i % 3}/0${i}_1_front.jpg`;
      this.#picture(`Inshop/Img/${path}`);
      return `${path}    id_0000000${i % 3}    ${part}`;
    });
    const header = "image_name item_id evaluation_status";
    this.#lines("Inshop/Eval/list_eval_partition.txt", [String(rows.length), header, ...rows]);
  }

  #products(): void {
    for (const [part, file] of [
      ["train", "train.csv"],
      ["test", "test_kaggletest.csv"],
    ] as const) {
      const rows = Array.from({ length: 4 }, (_, i) => {
        this.#picture(`Products-10k/${part}/${i}.jpg`);
        return `${i}.jpg,${i % 2},0`;
      });
      this.#lines(`Products-10k/${file}`, ["name,class,group", ...rows]);
    }
  }

  #landmarks(): void {
    const ids = ["17660ef415d37059", "92b6290d571448f6", "cd41bf948edc0340"];
    for (const id of ids) this.#picture(`GLDv2/train/${id[0]}/${id[1]}/${id[2]}/${id}.jpg`);
    const rows = [`1,${ids[0]} ${ids[1]}`, `7,${ids[2]}`];
    this.#lines("GLDv2/train_clean.csv", ["landmark_id,images", ...rows]);
  }

  #imagenet(): void {
    const synsets = ["n01440764 tench", "n01443537 goldfish", "n01484850 great white shark"];
    const rows = Array.from({ length: 6 }, (_, i) => {
      const id = `ILSVRC2012_val_0000000${i}`;
      this.#picture(`ILSVRC2012/ILSVRC/Data/CLS-LOC/val/${id}.JPEG`);
      return `${id},${synsets[i % 3]!.split(" ")[0]} 1 2 30 40 `;
    });
    this.#lines("ILSVRC2012/LOC_synset_mapping.txt", synsets);
    this.#lines("ILSVRC2012/LOC_val_solution.csv", ["ImageId,PredictionString", ...rows]);
  }

  #testSet(): void {
    const names = Array.from({ length: 4 }, (_, i) => `scene-${i}.jpg`);
    for (const name of names) this.#picture(`shitu-test/images/${name}`);
    this.#cocoJson("shitu-test/instances.json", names, ["cola", "not-in-gallery"]);
    const rows = ["cola", "milk", "tea"].map((label) => {
      this.#picture(`shitu-test/gallery/${label}.jpg`);
      return `gallery/${label}.jpg\t${label}`;
    });
    this.#lines("shitu-test/gallery.txt", rows);
  }
}

const side = 64;
/** Enough that no query is a picture of the gallery. */
const distinct = 400;

async function drawnPictures(): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: distinct }, (_, i) => {
      const next = uniform(i + 1);
      const colour = Array.from({ length: 3 }, () => 60 + 120 * next());
      const data = Uint8Array.from({ length: side * side * 3 }, (_, p) => {
        const wave = 40 * Math.sin(Math.floor(p / 3 / side) / (2 + (i % 30)));
        return Math.max(0, Math.min(255, colour[p % 3]! + wave + 30 * next()));
      });
      const raw = { width: side, height: side, channels: 3 as const };
      return sharp(data, { raw }).jpeg().toBuffer();
    }),
  );
}

function vocOf(fileName: string, brand: string): string {
  return `<annotation>
	<folder>${brand}</folder>
	<filename>${fileName}</filename>
	<size><width>${side}</width><height>${side}</height><depth>3</depth></size>
	<object>
		<name>${brand}</name>
		<difficult>0</difficult>
		<bndbox><xmin>6</xmin><ymin>8</ymin><xmax>40</xmax><ymax>44</ymax></bndbox>
	</object>
</annotation>
`;
}
