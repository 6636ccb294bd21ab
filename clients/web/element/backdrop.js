// The room beside a square face: the picture mirrored at its edges, which CSS blurs.

const SIDE = 24; // px of a mirrored picture

/**
 * @param {HTMLCanvasElement} face
 * @param {HTMLCanvasElement} room its middle ninth is behind the face
 */
export function surround(face, room) {
  if (room.width !== 3 * SIDE) room.width = room.height = 3 * SIDE;
  const context = room.getContext("2d", { alpha: false });
  if (!context) return;
  context.setTransform(1, 0, 0, 1, SIDE, SIDE);
  context.drawImage(face, 0, 0, SIDE, SIDE);
  for (const column of [0, 1, 2]) {
    for (const row of [0, 1, 2]) {
      if (column === 1 && row === 1) continue;
      const [x, y] = [column === 1 ? 1 : -1, row === 1 ? 1 : -1];
      context.setTransform(x, 0, 0, y, (column + Number(x < 0)) * SIDE, (row + Number(y < 0)) * SIDE);
      context.drawImage(room, SIDE, SIDE, SIDE, SIDE, 0, 0, SIDE, SIDE);
    }
  }
}
