package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.Interruption;
import io.github.loragraph.file.StagedFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A model that is replaced is whole at every moment: the process is ended, and made to fail, before
 * each change of the folder.
 */
class InterruptedWriteTest {
  private static final int OLD = 1;
  private static final int NEW = 2;

  @TempDir Path folder;

  @AfterEach
  void interruptNothing() {
    Interruption.never();
  }

  /** What a command writes. */
  enum Output {
    /** A model with its weights beside it. */
    EXTERNAL,
    /** A model with its weights inside, in the place of one with weights beside it. */
    EMBEDDED,
    /** Two models that share their weights, and a further file. */
    SET;

    void write(Path folder, int version) {
      if (this == EMBEDDED && version == NEW) {
        OnnxFile.write(model(version, false), folder.resolve("a.onnx"), true);
        return;
      }
      if (this != SET) {
        OnnxFile.write(model(version, true), folder.resolve("a.onnx"), true);
        return;
      }
      Map<Path, OnnxModel> models = new LinkedHashMap<>();
      OnnxModel model = model(version, true);
      models.put(folder.resolve("a.onnx"), model);
      models.put(folder.resolve("b.onnx"), model);
      try (StagedFiles files = new StagedFiles(folder, true)) {
        files.write(
            folder.resolve("config.json"),
            out -> out.write(Integer.toString(version).getBytes(StandardCharsets.UTF_8)));
        OnnxFile.stageSharingData(models, folder.resolve("weights.data"), files);
        files.commit();
      }
    }
  }

  /**
   * A model that says which one it is, with weights of that number.
   *
   * @param external whether the weights are to be written beside it
   */
  private static OnnxModel model(int version, boolean external) {
    Graph graph = new Graph();
    float[] values = new float[2048];
    Arrays.fill(values, version);
    Tensor weights = Tensor.ofFloats("w", values, 32, 64);
    graph.putInitializer(
        external
            ? Tensor.external(
                weights.proto().toBuilder()
                    .setDataLocation(ai.onnx.proto.OnnxMl.TensorProto.DataLocation.EXTERNAL)
                    .build(),
                weights.bytes(),
                null)
            : weights);
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 1, 32)));
    graph.add(Node.of("product", "MatMul", List.of("x", "w"), List.of("y")));
    graph.addOutput(ValueInfo.of("y", TensorType.of(ElementType.FLOAT, 1, 64)));
    return OnnxModel.of("v", graph, 8, 17).withMetadata("version", Integer.toString(version));
  }

  /** The version of a model that is whole. */
  private static int version(Path file) {
    OnnxModel model = OnnxFile.read(file);
    int version = Integer.parseInt(model.metadata().get("version"));
    for (float value : model.graph().initializer("w").toFloats()) {
      assertEquals(version, value, file + " has the weights of another model");
    }
    return version;
  }

  private static Set<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  /** Writes the new version and is ended on the way. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) {
      Interruption.killBefore(Integer.parseInt(args[2]));
      Output.valueOf(args[0]).write(Path.of(args[1]), NEW);
    }
  }

  private static int run(Output output, Path folder, int number) throws Exception {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Probe.class.getName(),
            output.name(),
            folder.toString(),
            Integer.toString(number))
        .inheritIO()
        .start()
        .waitFor();
  }

  @ParameterizedTest
  @EnumSource
  void oneOfBothIsWholeWhereverTheProcessIsKilled(Output output) throws Exception {
    int number = 0;
    int exitCode;
    int replaced = 0;
    do {
      number++;
      Path place = Files.createDirectory(folder.resolve("kill-" + number));
      output.write(place, OLD);
      Set<String> before = names(place);
      exitCode = run(output, place, number);
      // As any other program finds it: a copy has no list that would be gone on with.
      Path copy = copy(place, folder.resolve("copy-" + number));
      int first = version(copy.resolve("a.onnx"));
      if (output == Output.SET) {
        assertTrue(version(copy.resolve("b.onnx")) > 0);
      }
      // As this program finds it.
      int version = version(place.resolve("a.onnx"));
      assertTrue(version >= first, "what was done is never undone");
      if (output == Output.SET) {
        assertEquals(version, version(place.resolve("b.onnx")), "kill " + number);
        assertEquals(
            Integer.toString(version), Files.readString(place.resolve("config.json")), "" + number);
      }
      new StagedFiles(place, true).close();
      if (version == OLD) {
        assertEquals(before, names(place), "kill " + number);
      } else {
        replaced++;
        assertEquals(
            before.size() - (output == Output.EMBEDDED ? 1 : 0), names(place).size(), "" + number);
      }
    } while (exitCode == Interruption.KILLED);
    assertEquals(0, exitCode);
    assertTrue(number > 5 && replaced > 1 && replaced < number, number + " changes");
  }

  private static Path copy(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    for (String name : names(from)) {
      Files.copy(from.resolve(name), to.resolve(name));
    }
    return to;
  }

  @ParameterizedTest
  @EnumSource
  void aFailureLeavesTheOldOneAndNothingElse(Output output) throws Exception {
    boolean failed;
    int number = 0;
    do {
      number++;
      Path place = Files.createDirectory(folder.resolve("fail-" + number));
      output.write(place, OLD);
      Set<String> before = names(place);
      Interruption.failBefore(number);
      try {
        output.write(place, NEW);
        failed = false;
      } catch (LoraGraphException e) {
        assertTrue(e.getMessage().contains(": No space left on device"), e.getMessage());
        failed = true;
      }
      Interruption.never();
      int version = version(place.resolve("a.onnx"));
      boolean begun =
          output == Output.SET && !Files.readString(place.resolve("config.json")).equals("1");
      if (version == OLD && !begun) {
        assertEquals(before, names(place), "failure " + number);
      }
      if (failed && output != Output.SET) {
        assertEquals(OLD, version, "failure " + number);
      }
      new StagedFiles(place, true).close();
      assertFalse(names(place).toString().contains(".lora-"), names(place).toString());
    } while (failed || number < 20);
  }

  @Test
  void dataOfTheReplacedModelStaysWhereAnotherModelNeedsIt() throws IOException {
    Path model = folder.resolve("a.onnx");
    OnnxFile.write(model(OLD, true), model, false);
    Path other = folder.resolve("other.onnx");
    Files.copy(model, other);
    OnnxFile.write(model(NEW, true), model, true);
    assertEquals(OLD, version(other));
    assertEquals(NEW, version(model));
    assertEquals(4, names(folder).size());
    OnnxFile.write(model(OLD, false), other, true);
    assertEquals(3, names(folder).size(), names(folder).toString());
    assertEquals(NEW, version(model));

    // Nobody knows what a file means that cannot be read.
    Files.writeString(folder.resolve("damaged.onnx"), "\u0008\u0007\u0012");
    OnnxFile.write(model(OLD, true), model, true);
    assertEquals(5, names(folder).size(), names(folder).toString());
  }

  @Test
  void aModelIsWrittenOverTheOneThatItWasReadFrom() {
    Path model = folder.resolve("a.onnx");
    OnnxFile.write(model(OLD, true), model, false);
    OnnxModel read = OnnxFile.read(model);
    OnnxFile.write(read, model, true);
    OnnxFile.write(read, model, true);
    assertEquals(OLD, version(model));
  }

  @Test
  void aLinkIsNoPlaceForAModelWithWeightsBesideIt() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path link = folder.resolve("link.onnx");
    Files.createSymbolicLink(link, inner.resolve("a.onnx"));
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> OnnxFile.write(model(OLD, true), link, true));
    assertTrue(e.getMessage().contains("name the file itself"), e.getMessage());
    OnnxFile.write(model(NEW, false), link, false);
    assertTrue(Files.isSymbolicLink(link));
    assertEquals(NEW, version(inner.resolve("a.onnx")));
  }
}
