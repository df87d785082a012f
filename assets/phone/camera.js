// Codes from the phone's own camera: frames go to the sandbox, which reads them as the till does.

import { read } from './sandbox.js';

const EVERY_MS = 350;
const FRAME_PX = 960;
const PICTURE_PX = 1600;

// A JPEG of what can be drawn, no larger than need be and upright, whatever form the phone keeps pictures in.
function jpeg(source, width, height, limit) {
  const scale = Math.min(1, limit / Math.max(width, height, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext('2d').drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.85));
}

// What the codes in a picture file say.
export async function readPicture(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  return read(picture ? await jpeg(picture, picture.width, picture.height, PICTURE_PX) : file);
}

export const isThere = () => Boolean(navigator.mediaDevices?.getUserMedia);

// Shows the camera in `video` and calls `found` with the first code's text. Gives back how to stop.
export async function watch(video, found) {
  const wanted = { video: { facingMode: 'environment', width: { ideal: 1280 } } };
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  video.srcObject = stream;
  await video.play();
  let running = true;
  const stop = () => {
    running = false;
    stream.getTracks().forEach((track) => track.stop());
  };
  (async () => {
    while (running) {
      const picture = await jpeg(video, video.videoWidth, video.videoHeight, FRAME_PX);
      const [text] = picture ? await read(picture).catch(() => []) : [];
      if (text && running) {
        stop();
        found(text);
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  })();
  return stop;
}
