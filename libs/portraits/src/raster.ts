import { Resvg } from '@resvg/resvg-js';

/** An opaque or transparent picture in memory, RGBA, rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly pixels: Buffer; // (height, width, 4) uint8
}

// No text is drawn, and looking up the machine's fonts costs 40 ms a picture.
const withoutFonts = { font: { loadSystemFonts: false } };

export function rasterize(svg: string, width: number): Raster {
  const image = new Resvg(svg, { ...withoutFonts, fitTo: { mode: 'width', value: width } }).render();
  return { width: image.width, height: image.height, pixels: image.pixels };
}

export function rasterizeToPng(svg: string, width: number): Buffer {
  return new Resvg(svg, { ...withoutFonts, fitTo: { mode: 'width', value: width } }).render().asPng();
}
