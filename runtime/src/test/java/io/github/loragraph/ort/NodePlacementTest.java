package io.github.loragraph.ort;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads recorded profiles; the README beside them says how they were recorded. */
class NodePlacementTest {
  private static NodePlacement read(String profile, UnaryOperator<String> change) {
    try (InputStream in = Fixtures.open("/profiles/" + profile)) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return parse(change.apply(text));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static NodePlacement read(String profile) {
    return read(profile, UnaryOperator.identity());
  }

  private static NodePlacement parse(String text) throws IOException {
    return NodePlacement.of(
        SessionProfile.read(
            new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "profile.json"));
  }

  private static long copies(NodePlacement placement) {
    return placement.nodes().stream().filter(NodePlacement.PlacedNode::copies).count();
  }

  /** The one-line events of a profile, changed where a text stands in them. */
  private static UnaryOperator<String> inEventsOf(String node, String from, String to) {
    return profile ->
        String.join(
            "\n",
            profile
                .lines()
                .map(line -> line.contains(node) ? line.replace(from, to) : line)
                .toList());
  }

  @Test
  void countsEachComputeNodeOnceAndLeavesShapeArithmeticOut() {
    NodePlacement placement = read("cpu-step.json");
    assertEquals(67, placement.nodes().size());
    assertEquals(Map.of(NodePlacement.CPU, 34), placement.computeNodes());
    assertEquals(0, copies(placement));
    placement.requireAllOn(NodePlacement.CPU);
  }

  @Test
  void whatReadsManyElementsIsAComputeNodeThoughItGivesOne() {
    List<NodePlacement.PlacedNode> nodes = read("cpu-step.json").nodes();
    assertTrue(
        nodes.stream().anyMatch(n -> n.operator().equals("ReduceSumSquare") && n.computes()));
    assertTrue(nodes.stream().anyMatch(n -> n.operator().equals("Shape")));
    assertFalse(nodes.stream().anyMatch(n -> n.operator().equals("Shape") && n.computes()));
  }

  @Test
  void nodesInALoopAreOneNodeEach() {
    NodePlacement placement = read("cpu-loop.json");
    assertEquals(
        List.of("body/go", "body/Gather", "body/MatMul", "Tanh_2", "loop", "seq", "cat"),
        placement.nodes().stream().map(NodePlacement.PlacedNode::name).toList());
    // The loop itself carries a matrix; the sequence, which has no shape, is judged by its input.
    assertEquals(Map.of(NodePlacement.CPU, 6), placement.computeNodes());
  }

  @Test
  void onCudaCopiesAreCounted() {
    NodePlacement placement = read("cuda-step.json");
    assertEquals(Map.of(NodePlacement.CUDA, 34), placement.computeNodes());
    placement.requireAllOn(NodePlacement.CUDA);
    assertEquals(1, copies(placement));
  }

  @Test
  void namesTheComputeNodesThatFell() {
    NodePlacement placement =
        read("cuda-step.json", inEventsOf("CumSum", NodePlacement.CUDA, NodePlacement.CPU));
    LoraGraphException e =
        assertThrows(LoraGraphException.class, () -> placement.requireAllOn(NodePlacement.CUDA));
    assertEquals(
        "1 of 34 compute nodes did not run on CUDAExecutionProvider: '/roberta/embeddings/CumSum' (CumSum, on CPUExecutionProvider)",
        e.getMessage());
  }

  @Test
  void namesOnlyTheFirstOfMany() {
    LoraGraphException e =
        assertThrows(
            LoraGraphException.class, () -> read("cpu-step.json").requireAllOn(NodePlacement.CUDA));
    assertTrue(
        e.getMessage().startsWith("34 of 34 compute nodes did not run on CUDAExecutionProvider: '"),
        e.getMessage());
    assertTrue(e.getMessage().endsWith(" and others"), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }

  @Test
  void refusesWhatIsNoProfile() {
    assertThrows(LoraGraphException.class, () -> parse("[]"));
    assertThrows(LoraGraphException.class, () -> parse("{\"cat\":\"Node\""));
    assertThrows(LoraGraphException.class, () -> SessionProfile.read(Path.of("no-such-profile")));
  }

  @Test
  void readsWhatASessionOfThisBuildRecords(@TempDir Path folder) throws Exception {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 16, 8)));
    GraphBuilder b = new GraphBuilder(graph, "/test");
    graph.putInitializer(Tensor.ofFloats("w", new float[8 * 16], 8, 16));
    String product = b.matMul("x", "w");
    graph.addOutput(ValueInfo.of(product, TensorType.of(ElementType.FLOAT, 16, 16)));
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    try (Weights weights = new Weights();
        OrtSession session =
            new Sessions(OrtRuntime.ofThisProcess(), 1)
                .withProfile(folder.resolve("p"))
                .create(model, weights);
        OnnxTensor x =
            OnnxTensor.createTensor(OrtRuntime.ofThisProcess().environment(), new float[16][8])) {
      session.run(Map.of("x", x)).close();
    }
    try (Stream<Path> files = Files.list(folder)) {
      NodePlacement placement =
          NodePlacement.of(SessionProfile.read(files.findFirst().orElseThrow()));
      assertEquals(Map.of(NodePlacement.CPU, 1), placement.computeNodes());
    }
  }
}
