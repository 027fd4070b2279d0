// The microphone: records, tells how loud it is, and says in words what is in the way.

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS = 32_000; // a second: clear speech, and five minutes of it are a good megabyte

const CANNOT = "This browser cannot record here. Send a sound file instead.";
const REFUSALS = {
  NotAllowedError: "The microphone is blocked for this page. Allow it in your browser's address bar or settings, then try again.",
  NotFoundError: "No microphone was found. Connect one and try again, or send a sound file instead.",
  NotReadableError: "The microphone is in use by another program. Close that and try again.",
};

/** Begins to record; rejects with an Error fit to be shown. `onLevel` hears 0 to 1, ten times a second. */
export async function record({ onLevel, onLost }) {
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) throw new Error(CANNOT);
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(({ name }) => {
    throw new Error(REFUSALS[name] ?? CANNOT);
  });
  const [track] = stream.getAudioTracks();
  track.addEventListener("ended", onLost); // unplugged, or taken away
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
  const file = new Promise((resolve) => {
    recorder.addEventListener("dataavailable", ({ data }) => {
      const type = recorder.mimeType.split(";")[0];
      resolve(new File([data], "Voice message", { type }));
    });
  });
  const silence = listen(stream, onLevel);
  recorder.start();
  return {
    /** Ends it; resolves with the file. */
    stop() {
      silence();
      if (recorder.state !== "inactive") recorder.stop();
      track.stop();
      return file;
    },
  };
}

function listen(stream, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(Math.min(1, 4 * Math.hypot(...samples) / Math.sqrt(samples.length)));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
