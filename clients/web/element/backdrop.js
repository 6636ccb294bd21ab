// The room beside a square face, which CSS blurs: left and right the picture is mirrored at its edges, above and below
// its edges go on.

const SIDE = 24; // px of the picture in it
const EDGE = 2;

/**
 * @param {HTMLCanvasElement} face
 * @param {HTMLCanvasElement} room its middle ninth is behind the face
 */
export function surround(face, room) {
  if (room.width !== 3 * SIDE) room.width = room.height = 3 * SIDE;
  const context = room.getContext("2d", { alpha: false });
  if (!context) return;
  context.drawImage(face, SIDE, SIDE, SIDE, SIDE);
  for (const column of [0, 2]) {
    context.setTransform(-1, 0, 0, 1, (column + 1) * SIDE, 0);
    context.drawImage(room, SIDE, SIDE, SIDE, SIDE, 0, SIDE, SIDE, SIDE);
  }
  context.resetTransform();
  context.drawImage(room, 0, SIDE, 3 * SIDE, EDGE, 0, 0, 3 * SIDE, SIDE);
  context.drawImage(room, 0, 2 * SIDE - EDGE, 3 * SIDE, EDGE, 0, 2 * SIDE, 3 * SIDE, SIDE);
}
