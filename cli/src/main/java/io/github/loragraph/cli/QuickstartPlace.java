package io.github.loragraph.cli;

import io.github.loragraph.BundledModel;
import io.github.loragraph.Dataset;
import io.github.loragraph.Device;
import io.github.loragraph.InferenceArguments;
import io.github.loragraph.Model;
import io.github.loragraph.TrainingArguments;
import io.github.loragraph.TrainingResult;
import io.github.loragraph.file.AtomicFile;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * Where a job of {@code quickstart} works, and what all of them do.
 *
 * @param folder of all files; not there yet
 * @param threads of ONNX Runtime
 */
record QuickstartPlace(Path folder, ResultOutput output, int threads) {
  static final String MATCH = "query|output";
  static final int RANK = 8;

  /** Where {@link #unpack} puts a data file. */
  Path unpacked(String resource) {
    return folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
  }

  /** Unpacks a data file that comes with the tool, so that users see what one looks like. */
  Path unpack(String resource) {
    Path file = unpacked(resource);
    AtomicFile.write(
        file,
        false,
        out -> {
          try (InputStream in =
              QuickstartPlace.class.getResourceAsStream("quickstart/" + resource)) {
            in.transferTo(out);
          }
        });
    return file;
  }

  Dataset data(String resource) {
    return Dataset.file(unpack(resource));
  }

  Model encoder() {
    return Model.bundled(BundledModel.ALL_MINILM_L6_V2).withNotes(output::say);
  }

  InferenceArguments onCpu() {
    return InferenceArguments.builder().device(Device.CPU).threads(threads).build();
  }

  /** What the jobs have in common; the run folder is {@code run}. */
  TrainingArguments.Builder arguments() {
    return TrainingArguments.builder()
        .warmupRatio(0.1)
        .weightDecay(0.01)
        .saveSteps(0)
        .engine(TrainingArguments.Engine.GRAPH)
        .device(Device.CPU)
        .threads(threads)
        .outputDir(folder.resolve("run"));
  }

  TrainingResult train(
      Model model, Dataset training, Dataset heldOut, TrainingArguments arguments) {
    try (ProgressListener progress = new ProgressListener(output, false)) {
      return model.train(training, heldOut, arguments, progress);
    }
  }

  /** The files are listed at the end. */
  static Path save(Model model, Path target) {
    return model.withNotes(line -> {}).save(target);
  }

  /** The model as written beside what it was made of, whose weights it has. */
  Model saved(Model model, Path target) {
    Path file = model.withNotes(line -> {}).saveSharingWeights(target, false);
    return Model.open(file).withNotes(output::say);
  }
}
