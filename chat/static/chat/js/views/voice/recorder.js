// The microphone: records and reports the level.

import { MICROPHONE } from "../../text/voice-wording.js";

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS = 32_000; // per second: clear speech, about 1.2 MB for five minutes

/**
 * Start recording; reject with an Error whose message can be shown.
 * onLevel: receives 0 to 1, ten times a second; onLost: the microphone was unplugged.
 */
export async function record({ onLevel, onLost }) {
  // Without a secure context there is no `navigator.mediaDevices`, and trying again cannot help.
  if (!window.isSecureContext) throw Object.assign(new Error(MICROPHONE.insecure), { isFinal: true });
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) throw new Error(MICROPHONE.unsupported);
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(({ name }) => {
    throw new Error(MICROPHONE[name] ?? MICROPHONE.unsupported);
  });
  const [track] = stream.getAudioTracks();
  track.addEventListener("ended", onLost);
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
  const file = fileOf(recorder);
  const stopMeter = startMeter(stream, onLevel);
  recorder.start();
  return {
    /** Stop; resolves with the file. */
    stop() {
      stopMeter();
      if (recorder.state !== "inactive") recorder.stop();
      track.stop();
      return file;
    },
  };
}

function fileOf(recorder) {
  return new Promise((resolve) => {
    recorder.addEventListener("dataavailable", ({ data }) => {
      const type = recorder.mimeType.split(";")[0];
      resolve(new File([data], "Voice message", { type }));
    });
  });
}

/** Report the level of `stream` until the returned function is called. */
function startMeter(stream, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.min(1, (4 * Math.hypot(...samples)) / Math.sqrt(samples.length)));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
