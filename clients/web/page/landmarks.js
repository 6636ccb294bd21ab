// The points of a face that a visitor can see and move: their names, their lines, and how the rest follows.
// Points are {name: [x, y]} in px of the picture. "Left" is the person's own left: on the right of the picture.

export const LABELS = {
  right_eye_outer: "Right eye, outer corner",
  right_eye_inner: "Right eye, inner corner",
  right_eye_top: "Right eye, upper lid",
  right_eye_bottom: "Right eye, lower lid",
  right_iris: "Right eye, pupil",
  left_eye_inner: "Left eye, inner corner",
  left_eye_outer: "Left eye, outer corner",
  left_eye_top: "Left eye, upper lid",
  left_eye_bottom: "Left eye, lower lid",
  left_iris: "Left eye, pupil",
  nose: "Tip of the nose",
  mouth_right: "Mouth, right corner",
  mouth_left: "Mouth, left corner",
  upper_lip_top: "Upper lip, upper edge",
  upper_lip_bottom: "Upper lip, lower edge",
  lower_lip_top: "Lower lip, upper edge",
  lower_lip_bottom: "Lower lip, lower edge",
  chin: "Chin",
  forehead: "Forehead, at the hair",
  right_side: "Right edge of the face",
  left_side: "Left edge of the face",
};

const PARTS = { face: /./, eyes: /eye|iris/, mouth: /mouth|lip/ };
const FACE_SHARE = 0.47; // height of the face in the view
const ROUNDNESS = 3.6; // of the outline: makes an ellipse of the corners of a rhombus
const ORDERS = [
  ["left_eye_top", "left_eye_bottom"],
  ["right_eye_top", "right_eye_bottom"],
  ["upper_lip_top", "upper_lip_bottom", "lower_lip_top", "lower_lip_bottom"],
];
const ROOM = { face: 1.35, eyes: 1.3, mouth: 1.5 };

/** The points that are shown, of those that the server knows. */
export function shown(points) {
  return Object.fromEntries(Object.keys(LABELS).filter((name) => name in points).map((name) => [name, [...points[name]]]));
}

/** The square {x, y, side} that shows "face", "eyes" or "mouth", or all of a "picture" of [width, height]. */
export function squareOf(part, points, [width, height]) {
  if (part === "picture") {
    const side = Math.max(width, height);
    return { x: (width - side) / 2, y: (height - side) / 2, side };
  }
  const places = Object.keys(points).filter((name) => PARTS[part].test(name)).map((name) => points[name]);
  const [xs, ys] = [0, 1].map((axis) => places.map((place) => place[axis]));
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const side = Math.max(right - left, bottom - top, 8) * ROOM[part];
  return { x: (left + right - side) / 2, y: (top + bottom - side) / 2, side };
}

/** The square {x, y, side} of a picture of [width, height] that the server animates, nearly: hair, face and shoulders. */
export function viewOf({ forehead, chin }, [width, height]) {
  const tall = Math.hypot(chin[0] - forehead[0], chin[1] - forehead[1]);
  const side = Math.min(tall / FACE_SHARE, width, height);
  const inside = (start, length) => Math.min(Math.max(start, 0), length - side);
  const [x, y] = [0, 1].map((axis) => (forehead[axis] + chin[axis] - side) / 2);
  return { x: inside(x, width), y: inside(y, height), side };
}

/**
 * Where the points of `names` go when those of `placed` were moved from `before` to `now`: by the shift, turn and zoom
 * that fit the placed ones best.
 */
export function follow(names, placed, before, now) {
  const mean = (points) => [0, 1].map((axis) => placed.reduce((sum, name) => sum + points[name][axis], 0) / placed.length);
  const [from, to] = [mean(before), mean(now)];
  let [c, s, weight] = [0, 0, 0];
  for (const name of placed) {
    const [ax, ay] = [before[name][0] - from[0], before[name][1] - from[1]];
    const [bx, by] = [now[name][0] - to[0], now[name][1] - to[1]];
    c += ax * bx + ay * by;
    s += ax * by - ay * bx;
    weight += ax * ax + ay * ay;
  }
  [c, s] = weight > 1e-6 ? [c / weight, s / weight] : [1, 0];
  const turned = ([x, y]) => {
    const [dx, dy] = [x - from[0], y - from[1]];
    return [to[0] + c * dx - s * dy, to[1] + s * dx + c * dy];
  };
  return Object.fromEntries(names.map((name) => [name, turned(before[name])]));
}

/** Keeps lids and lips in their order from above to below: `name`, which was moved, pushes others of its line; which? */
export function push(points, name) {
  const order = ORDERS.find((names) => names.includes(name)) ?? [];
  const eyes = [0, 1].map((axis) => (points.left_iris[axis] + points.right_iris[axis]) / 2);
  const [dx, dy] = [points.chin[0] - eyes[0], points.chin[1] - eyes[1]];
  const down = ([x, y]) => (x * dx + y * dy) / (dx * dx + dy * dy);
  const at = order.indexOf(name);
  const pushed = order.filter((other, i) => (i - at) * (down(points[name]) - down(points[other])) > 0);
  for (const other of pushed) {
    const by = down(points[name]) - down(points[other]);
    points[other] = [points[other][0] + by * dx, points[other][1] + by * dy];
  }
  return pushed;
}

/** An SVG path from a to b that passes through `via` half-way. */
const through = (via, a, b) => `Q ${2 * via[0] - (a[0] + b[0]) / 2} ${2 * via[1] - (a[1] + b[1]) / 2} ${b[0]} ${b[1]}`;

function loop(a, above, b, below) {
  return `M ${a[0]} ${a[1]} ${through(above, a, b)} ${through(below, b, a)} Z`;
}

/** The lines that join the points, as one SVG path. */
export function lines(p) {
  return [
    loop(p.right_eye_outer, p.right_eye_top, p.right_eye_inner, p.right_eye_bottom),
    loop(p.left_eye_inner, p.left_eye_top, p.left_eye_outer, p.left_eye_bottom),
    loop(p.mouth_right, p.upper_lip_top, p.mouth_left, p.lower_lip_bottom),
    loop(p.mouth_right, p.upper_lip_bottom, p.mouth_left, p.lower_lip_top),
  ].join(" ");
}

/** The outline of the face, as an SVG path: a smooth line through four points. */
export function outline({ right_side, forehead, left_side, chin }) {
  const around = [right_side, forehead, left_side, chin];
  const at = (i) => around[(i + 4) % 4];
  const curve = (i) => {
    const [before, from, to, after] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const handle = (point, a, b, sign) => [0, 1].map((axis) => point[axis] + (sign * (b[axis] - a[axis])) / ROUNDNESS);
    return `C ${handle(from, before, to, 1)} ${handle(to, from, after, -1)} ${to}`;
  };
  return `M ${right_side} ${[0, 1, 2, 3].map(curve).join(" ")} Z`;
}
