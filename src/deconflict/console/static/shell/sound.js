// What is urgent is heard. Browsers keep a page silent until somebody has pressed something in it.

let audio = null;

export function allowSound() {
  audio ??= new AudioContext();
  audio.resume();
}

addEventListener("pointerdown", allowSound, { once: true });
addEventListener("keydown", allowSound, { once: true });

// Two tones for FLASH, one for IMMEDIATE. True exactly when it could be heard, or nothing had to be.
export function alarm(urgencies) {
  const tones = urgencies.includes("FLASH") ? [880, 660, 880] : urgencies.includes("IMMEDIATE") ? [660] : [];
  if (!tones.length) return true;
  if (audio?.state !== "running") return false;
  tones.forEach((pitch, at) => {
    const tone = audio.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(audio.destination);
    tone.start(audio.currentTime + at * 0.3);
    tone.stop(audio.currentTime + at * 0.3 + 0.22);
  });
  return true;
}
