package io.github.loragraph;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.FileStamps;
import io.github.loragraph.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The files that a training begins with: the model's, and those of the data. */
final class TrainingInputs {
  private final Model model;
  private final List<Path> data;
  private final FileStamps stamps;

  /** To be made before the data is read. */
  TrainingInputs(Model model, Dataset training, Optional<Dataset> heldOut) {
    this.model = model;
    this.data =
        Stream.concat(Stream.of(training), heldOut.stream())
            .flatMap(set -> set.files().stream())
            .toList();
    this.stamps = FileStamps.of(data);
  }

  /**
   * Refuses to replace a folder that has one of them in it: it would be gone with the folder, and a
   * training that was stopped could not be gone on with.
   *
   * @throws LoraGraphException if one lies in it, links resolved; it names it
   */
  void refuseToReplace(Path run) {
    if (!Files.isDirectory(run)) {
      return;
    }
    List<Path> needed = new ArrayList<>(List.of(model.file()));
    if (Files.exists(model.file())) {
      needed.addAll(OnnxFile.dataFiles(model.file()));
    }
    model.files().adapter().ifPresent(a -> needed.addAll(a.files()));
    needed.addAll(model.files().companions());
    needed.addAll(data);
    try {
      Path folder = run.toRealPath();
      for (Path file : needed) {
        if (Files.exists(file) && file.toRealPath().startsWith(folder)) {
          throw new LoraGraphException(
              "%s, which the training begins with, lies in %s, which is to be replaced"
                  .formatted(file, run),
              Remedy.CHOOSE_FOLDER);
        }
      }
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + run + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Refuses files that are no longer what was read: to be called when their checksums were taken.
   *
   * @throws LoraGraphException if one has changed
   */
  void requireAsRead() {
    model.requireAsRead();
    stamps.requireUnchanged("begin the training again");
  }
}
