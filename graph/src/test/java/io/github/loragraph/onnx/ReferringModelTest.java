package io.github.loragraph.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import io.github.loragraph.file.StagedFiles;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that have their weights in the file of the model that they were made of. */
class ReferringModelTest {
  private static final int SIZE = 64;

  @TempDir Path folder;
  private Path base;

  @BeforeEach
  void writeBase() {
    base = folder.resolve("model.onnx");
    // Names of several lengths: the weights then begin at odd places of the file.
    OnnxFile.write(product(1, "", "a", "bcd"), base, false);
  }

  @Test
  void weightsStandInTheBaseAlone() throws Exception {
    Path small = folder.resolve("model.lora.onnx");
    assertEquals(Set.of(base), write(grown(OnnxFile.read(base)), small));

    assertTrue(Files.size(small) < 2000, Files.size(small) + " bytes");
    OnnxModel read = OnnxFile.read(small);
    assertFalse(read.metadata().containsKey(ReferredFiles.KEY), read.metadata().toString());
    assertSameWeights(OnnxFile.read(base), read);
    assertEquals(3f, read.graph().initializer("more").toFloats()[0]);
    assertEquals(List.of(base), OnnxFile.dataFiles(small));
    assertArrayEquals(outputs(base), outputs(small));
  }

  @Test
  void whatRefersIsReferredToAtTheFirstPlace() throws Exception {
    Path first = folder.resolve("first.onnx");
    Path second = folder.resolve("second.onnx");
    write(grown(OnnxFile.read(base)), first);
    assertEquals(Set.of(base), write(OnnxFile.read(first), second));
    Files.delete(first);
    assertArrayEquals(outputs(base), outputs(second));
  }

  @Test
  void externalDataIsReferredTo() throws Exception {
    Path data = folder.resolve("whole.onnx.data");
    try (StagedFiles files = new StagedFiles(folder, false)) {
      OnnxFile.stageSharingData(
          Map.of(folder.resolve("whole.onnx"), product(2, "", "w")), data, files);
      files.commit();
    }
    Path small = folder.resolve("small.onnx");
    assertEquals(Set.of(data), write(OnnxFile.read(folder.resolve("whole.onnx")), small));
    assertArrayEquals(outputs(folder.resolve("whole.onnx")), outputs(small));
    // The data is the other model's, whatever becomes of this one.
    write(OnnxFile.read(base), small);
    assertTrue(Files.exists(data));
    // And it stays for this one, whatever becomes of the other.
    write(OnnxFile.read(folder.resolve("whole.onnx")), small);
    OnnxFile.write(product(3, "", "w"), folder.resolve("whole.onnx"), true);
    assertEquals(2f, OnnxFile.read(small).graph().initializer("w").toFloats()[0], 0.5f);
  }

  @Test
  void aBaseInAFolderBelowIsReferredToAndAnyOtherIsNot() throws Exception {
    Path below = Files.createDirectories(folder.resolve("onnx")).resolve("model.onnx");
    Files.copy(base, below);
    Path small = folder.resolve("small.onnx");
    assertEquals(Set.of(below), write(OnnxFile.read(below), small));
    assertArrayEquals(outputs(base), outputs(small));

    Path elsewhere = Files.createDirectories(folder.resolve("other")).resolve("model.onnx");
    assertEquals(Set.of(), write(OnnxFile.read(base), elsewhere));
    assertTrue(Files.size(elsewhere) > 4 * SIZE * SIZE);
    Files.delete(base);
    assertSameWeights(OnnxFile.read(elsewhere), OnnxFile.read(below));
  }

  @Test
  void aBaseFromElsewhereGetsAFurtherName() throws Exception {
    Path other = Files.createDirectories(folder.resolve("other"));
    Path file = other.resolve("model.onnx");
    Path name = other.resolve("model.onnx.data");
    assertEquals(Set.of(name), write(grown(OnnxFile.read(base)), file, true));
    assertTrue(Files.isSameFile(base, name));
    assertArrayEquals(outputs(base), outputs(file));
    // What is made of it, beside it or elsewhere, is over the same file.
    Path small = other.resolve("small.onnx");
    assertEquals(Set.of(name), write(OnnxFile.read(file), small, true));
    Path third = Files.createDirectories(folder.resolve("third")).resolve("m.onnx");
    write(OnnxFile.read(small), third, true);
    assertTrue(Files.isSameFile(base, third.resolveSibling("m.onnx.data")));
    // The name is the model's own, and goes with the last that needs it.
    OnnxFile.write(product(3, "", "a"), file, true);
    assertTrue(Files.exists(name));
    OnnxFile.write(product(3, "", "a"), small, true);
    OnnxFile.write(product(3, "", "a"), third, true);
    assertFalse(Files.exists(third.resolveSibling("m.onnx.data")));
    assertTrue(Files.exists(base));
    // A base that is replaced leaves the other name what it was; one that is written over does not.
    write(OnnxFile.read(base), third, true);
    OnnxFile.write(product(9, "", "a", "bcd"), base, true);
    assertEquals(1f, OnnxFile.read(third).graph().initializer("a").toFloats()[0]);
  }

  @Test
  void aBaseThatIsWrittenOverIsRefusedUnderItsOtherName() throws Exception {
    Path file = Files.createDirectories(folder.resolve("other")).resolve("model.onnx");
    write(OnnxFile.read(base), file, true);
    byte[] content = Files.readAllBytes(base);
    content[content.length / 2] ^= 1;
    Files.write(base, content);
    refused(file, "which is another file than when");
  }

  @Test
  void whatIsNotWrittenLeavesNoName() throws Exception {
    Path other = Files.createDirectories(folder.resolve("other"));
    try (StagedFiles files = new StagedFiles(other, false)) {
      OnnxFile.stageReferring(OnnxFile.read(base), other.resolve("model.onnx"), true, files);
    }
    try (Stream<Path> left = Files.list(other)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void whoHasWeightsInAFileIsKnown() throws Exception {
    Path small = folder.resolve("small.onnx");
    write(OnnxFile.read(base), small);
    assertEquals(Set.of(small), OnnxFile.referringTo(base));
    assertEquals(Set.of(), OnnxFile.referringTo(small));
    Path below = Files.createDirectories(folder.resolve("a/b")).resolve("model.onnx");
    Files.copy(base, below);
    // Nobody would look so far above for whom its data serves.
    assertEquals(Set.of(), write(OnnxFile.read(below), folder.resolve("far.onnx")));
    Path near = folder.resolve("a/near.onnx");
    assertEquals(Set.of(below), write(OnnxFile.read(below), near));
    assertEquals(Set.of(near), OnnxFile.referringTo(below));
  }

  @Test
  void aLinkOutOfTheFolderIsNotReferredTo() throws Exception {
    Path target = Files.createDirectories(folder.resolve("inner"));
    Path link = Files.createSymbolicLink(target.resolve("model.onnx"), base);
    assertEquals(Set.of(), write(OnnxFile.read(link), target.resolve("small.onnx")));
  }

  @Test
  void anotherBaseIsRefused() throws Exception {
    Path small = folder.resolve("small.onnx");
    write(OnnxFile.read(base), small);
    byte[] content = Files.readAllBytes(base);
    content[content.length / 2] ^= 1;
    Files.write(base, content);
    refused(small, small + " has its weights in " + base + ", which is another file than when");
    OnnxFile.write(product(1, "longer", "a", "bcd"), base, true);
    refused(small, "which is another file");
    Files.delete(base);
    refused(small, "is missing: put it into the model's folder");
  }

  @Test
  void aBaseThatWasReplacedSinceItWasReadIsRefused() {
    OnnxModel read = OnnxFile.read(base);
    OnnxFile.write(product(7, "", "a", "bcd"), base, true);
    Path small = folder.resolve("small.onnx");
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> write(read, small));
    assertEquals(base + " has changed since it was read: begin again", e.getMessage());
    assertFalse(Files.exists(small));
  }

  @Test
  void theBaseStaysWhereTheSmallModelIsReplaced() throws Exception {
    Path small = folder.resolve("small.onnx");
    write(grown(OnnxFile.read(base)), small);
    write(OnnxFile.read(base), small);
    OnnxFile.write(OnnxFile.read(small), small, true);
    assertTrue(Files.exists(base));
    OnnxFile.write(product(1, "", "a", "bcd"), small, true);
    assertTrue(Files.exists(base));
  }

  @Test
  void whatIsSaidOfTheBaseIsHeldToItsForm() throws Exception {
    for (String wrong :
        List.of(
            "",
            "{}",
            "[1]",
            "[{\"location\":\"model.onnx\"}]",
            "[{\"location\":\"model.onnx\",\"bytes\":\"3\",\"crc32c\":\"0\",\"link\":false}]",
            "[{")) {
      Path file = folder.resolve("wrong.onnx");
      OnnxFile.write(product(1, "", "a").withMetadata(ReferredFiles.KEY, wrong), file, true);
      refused(file, "'lora_graph_weights' metadata is malformed");
    }
    for (String outside : List.of("/etc/hostname", "../model.onnx", "a\\b", "", "nowhere")) {
      Path file = folder.resolve("wrong.onnx");
      String json =
          "[{\"location\":\"%s\",\"bytes\":1,\"crc32c\":\"0\",\"link\":false}]"
              .formatted(outside.replace("\\", "\\\\"));
      OnnxFile.write(product(1, "", "a").withMetadata(ReferredFiles.KEY, json), file, true);
      refused(file, outside.equals("nowhere") ? "is missing" : "refused");
    }
  }

  private static void refused(Path file, String why) {
    LoraGraphException e = assertThrows(LoraGraphException.class, () -> OnnxFile.read(file));
    assertTrue(e.getMessage().contains(why), e.getMessage());
    assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
  }

  private static Set<Path> write(OnnxModel model, Path file) {
    return write(model, file, false);
  }

  private static Set<Path> write(OnnxModel model, Path file, boolean link) {
    try (StagedFiles files = new StagedFiles(AtomicFile.folderOf(file), true)) {
      Set<Path> referred = OnnxFile.stageReferring(model, file, link, files);
      files.commit();
      return referred;
    }
  }

  private static OnnxModel grown(OnnxModel model) {
    Graph graph = model.graph().copy();
    graph.putInitializer(Tensor.ofFloats("more", new float[] {3}, 1));
    return model.withGraph(graph);
  }

  /** A chain of products with matrices of these names. */
  private static OnnxModel product(int seed, String name, String... matrices) {
    Random random = new Random(seed);
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 1, SIZE)));
    String last = "x";
    for (String matrix : matrices) {
      float[] values = new float[SIZE * SIZE];
      for (int i = 0; i < values.length; i++) {
        values[i] = i == 0 ? seed : random.nextFloat() - 0.5f;
      }
      graph.putInitializer(Tensor.ofFloats(matrix, values, SIZE, SIZE));
      graph.add(Node.of("by " + matrix, "MatMul", List.of(last, matrix), List.of(matrix + "_y")));
      last = matrix + "_y";
    }
    graph.addOutput(ValueInfo.of(last, TensorType.of(ElementType.FLOAT, 1, SIZE)));
    return OnnxModel.of("product" + name, graph, 8, 17);
  }

  private static void assertSameWeights(OnnxModel expected, OnnxModel actual) {
    expected
        .graph()
        .initializers()
        .forEach(
            (name, tensor) ->
                assertArrayEquals(
                    tensor.toFloats(), actual.graph().initializer(name).toFloats(), name));
  }

  /** By a stock ONNX Runtime, from the file. */
  private static float[] outputs(Path file) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] x = new float[SIZE];
    java.util.Arrays.fill(x, 1);
    try (OrtSession session = environment.createSession(file.toString());
        OnnxTensor input =
            OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), new long[] {1, SIZE});
        OrtSession.Result result = session.run(Map.of("x", input))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }
}
