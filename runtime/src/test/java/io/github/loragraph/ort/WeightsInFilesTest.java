package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.file.StagedFiles;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxFile;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsInFilesTest {
  private static final OrtRuntime RUNTIME = OrtRuntime.ofThisProcess();

  /** 1 MB of FLOAT. */
  private static final int SIDE = 512;

  @TempDir private Path folder;

  /** A lookup, two products of which one is packed, and elementwise uses of whole matrices. */
  private static OnnxModel model(String prefix, long seed) {
    Random random = new Random(seed);
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("index", TensorType.of(ElementType.INT64, 1)));
    for (String name : List.of("table", "product", "left", "factor", "vector")) {
      float[] values = new float[name.equals("vector") ? SIDE * 64 : SIDE * SIDE];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      String initializer = prefix + name;
      graph.putInitializer(
          name.equals("vector")
              ? Tensor.ofFloats(initializer, values, values.length)
              : Tensor.ofFloats(initializer, values, SIDE, SIDE));
    }
    graph.add(Node.of("g", "Gather", List.of(prefix + "table", "index"), List.of("x")));
    graph.add(Node.of("m", "MatMul", List.of("x", prefix + "product"), List.of("y")));
    graph.add(Node.of("t", "Transpose", List.of("y"), List.of("yt")));
    graph.add(Node.of("l", "MatMul", List.of(prefix + "left", "yt"), List.of("z")));
    graph.add(Node.of("f", "Mul", List.of("z", prefix + "factor"), List.of("a")));
    graph.add(
        Node.of("r", "ReduceMax", List.of(prefix + "vector"), List.of("v")).with("keepdims", 0));
    graph.add(Node.of("s", "Add", List.of("a", "v"), List.of("all")));
    graph.addOutput(ValueInfo.of("all", TensorType.of(ElementType.FLOAT, SIDE, SIDE)));
    return OnnxModel.of("uses", graph, 8, 17);
  }

  private static float[][] answer(OnnxModel model, long index) throws OrtException {
    return answer(new Sessions(RUNTIME, 1), model, index);
  }

  private static float[][] answer(Sessions sessions, OnnxModel model, long index)
      throws OrtException {
    try (Weights weights = new Weights();
        OrtSession session = sessions.create(model, weights)) {
      return answer(session, index);
    }
  }

  private static float[][] answer(OrtSession session, long index) throws OrtException {
    try (OnnxTensor tensor = OnnxTensor.createTensor(RUNTIME.environment(), new long[] {index});
        OrtSession.Result result = session.run(Map.of("index", tensor))) {
      return OrtTensors.rows((OnnxTensor) result.get(0));
    }
  }

  /** Names of other lengths put the weights between the places where numbers may begin. */
  @ParameterizedTest
  @ValueSource(strings = {"", "a", "bb", "ccc"})
  void areReadWhereverTheyBegin(String prefix) throws Exception {
    OnnxModel made = model(prefix, 1);
    Path file = folder.resolve("model.onnx");
    OnnxFile.write(made, file, false);
    OnnxModel read = OnnxFile.read(file);
    long before = WeightCopies.bytesInUse();
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(RUNTIME, 1).create(read, weights)) {
      assertEquals(before, WeightCopies.bytesInUse());
      assertArrayEquals(answer(made, 7), answer(session, 7));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.onnx", "with space.onnx", "ü.onnx", "a\\b.onnx"})
  void areReadUnderAnyName(String name) throws Exception {
    Path plain = folder.resolve("plain.onnx");
    OnnxModel made = model("", 1);
    OnnxFile.write(made, plain, false);
    Path file;
    try {
      file = Files.copy(plain, folder.resolve(name));
    } catch (IOException | RuntimeException e) {
      abort("no such name here: " + e);
      return;
    }
    assertArrayEquals(answer(made, 3), answer(OnnxFile.read(file), 3));
  }

  /** A model is what it was when it was read, also where a session is made later. */
  @Test
  void ofAFileThatWasReplacedAreThoseThatWereRead() throws Exception {
    OnnxModel made = model("", 1);
    Path file = folder.resolve("model.onnx");
    Path other = folder.resolve("other.onnx");
    OnnxFile.write(made, file, false);
    OnnxFile.write(model("", 2), other, false);
    OnnxModel read = OnnxFile.read(file);
    Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
    assertArrayEquals(answer(made, 5), answer(read, 5));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void packedWeightsAreInMemoryOnce() throws Exception {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("index", TensorType.of(ElementType.INT64, 1)));
    graph.putInitializer(Tensor.ofFloats("table", new float[SIDE], 1, SIDE));
    graph.add(Node.of("g", "Gather", List.of("table", "index"), List.of("x0")));
    for (int i = 0; i < 8; i++) {
      graph.putInitializer(Tensor.ofFloats("w" + i, new float[SIDE * SIDE], SIDE, SIDE));
      graph.add(Node.of("p" + i, "MatMul", List.of("x" + i, "w" + i), List.of("x" + (i + 1))));
    }
    graph.addOutput(ValueInfo.of("x8", TensorType.of(ElementType.FLOAT, 1, SIDE)));
    Path file = folder.resolve("products.onnx");
    OnnxFile.write(OnnxModel.of("products", graph, 8, 17), file, false);
    OnnxModel read = OnnxFile.read(file);
    try (Weights weights = new Weights();
        OrtSession session = new Sessions(RUNTIME, 1).create(read, weights)) {
      answer(session, 0);
      long resident = resident(file);
      assertTrue(resident < 4L * SIDE * SIDE, resident + " bytes of the file are resident");
    }
  }

  /**
   * As for models of more than 2 GB: all sessions, and whoever reads the file again, have one map.
   */
  @Test
  @EnabledOnOs(OS.LINUX)
  void whatIsNotPackedIsMappedOnce() throws Exception {
    OnnxModel made = model("", 1);
    Path file = folder.resolve("model.onnx");
    Path data = folder.resolve("model.data");
    try (StagedFiles files = new StagedFiles(folder, false)) {
      OnnxFile.stageSharingData(Map.of(file, made), data, files);
      files.commit();
    }
    OnnxModel read = OnnxFile.read(file);
    OnnxModel again = OnnxFile.read(file);
    Sessions sessions = new Sessions(RUNTIME, 1).unpacked();
    float[][] expected = answer(sessions, made, 7);
    long before = WeightCopies.bytesInUse();
    try (Weights weights = new Weights();
        OrtSession first = sessions.create(read, weights);
        OrtSession second = sessions.create(again, weights)) {
      assertArrayEquals(expected, answer(first, 7));
      assertArrayEquals(expected, answer(second, 7));
      assertEquals(before, WeightCopies.bytesInUse());
      assertEquals(5, maps(data));
    }
  }

  private static long maps(Path file) throws IOException {
    String name = file.toRealPath().toString();
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.endsWith(name))
        .count();
  }

  /** How much of a file is in the memory of this process. */
  private static long resident(Path file) throws IOException {
    long bytes = 0;
    boolean its = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        its = line.endsWith(file.toRealPath().toString());
      } else if (its && line.startsWith("Rss:")) {
        bytes += 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return bytes;
  }
}
