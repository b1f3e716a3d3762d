package io.github.loragraph.check;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.engine.EngineKind;
import io.github.loragraph.engine.Engines;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.evaluation.ProbeInput;
import io.github.loragraph.file.TemporaryFolder;
import io.github.loragraph.lora.Method;
import io.github.loragraph.lora.TrainableSelection;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.ort.SessionProfile;
import io.github.loragraph.ort.Sessions;
import io.github.loragraph.training.AdamW;
import io.github.loragraph.training.CrossEntropyLoss;
import io.github.loragraph.training.LoraDropout;
import io.github.loragraph.training.Optimization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Where the nodes of a model's training step run: the engine takes steps under a profile. */
final class PlacementCheck {
  /** Memory and algorithms are chosen in the first. */
  private static final int STEPS = 3;

  private PlacementCheck() {}

  /**
   * Takes steps on random input, one in each call.
   *
   * @param stepsPerCall with more than one the loop around the steps is checked, too
   * @throws LoraGraphException if the model cannot be trained there
   */
  static SessionProfile of(
      Path file, Sessions sessions, int batch, int sequence, int stepsPerCall) {
    OnnxModel model = OnnxFile.read(file);
    List<HostTensor> input = new ArrayList<>(ProbeInput.of(model.graph(), batch, sequence, 0));
    try (TemporaryFolder folder = TemporaryFolder.create("lora-graph-placement")) {
      Engines engines =
          new Engines(
              model,
              TrainableSelection.of(Method.LORA).values(model),
              CrossEntropyLoss.plain(),
              new Optimization(AdamW.defaults(), 1, LoraDropout.NONE),
              1,
              stepsPerCall,
              0,
              sessions.withProfile(folder.path().resolve("step")));
      try (Engines.Opened opened = engines.open(EngineKind.GRAPH, null, STEPS, null, line -> {})) {
        input.add(
            classes(opened.labels().name(), opened.labels().requireType().elementType(), batch));
        for (int i = 0; i < STEPS; i++) {
          opened.engine().step(input, 1e-5);
        }
      }
      return SessionProfile.read(profile(folder.path()));
    }
  }

  private static HostTensor classes(String name, ElementType type, int batch) {
    ByteBuffer zeros = ByteBuffer.allocateDirect(batch * type.bytes());
    return new HostTensor(name, type, new long[] {batch}, zeros.order(ByteOrder.nativeOrder()));
  }

  /** The step's, where smaller sessions left one, too. */
  private static Path profile(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .max(Comparator.comparingLong(file -> file.toFile().length()))
          .orElseThrow(() -> new LoraGraphException("ONNX Runtime wrote no profile"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
