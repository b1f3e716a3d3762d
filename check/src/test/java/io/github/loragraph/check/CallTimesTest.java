package io.github.loragraph.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.data.HostTensor;
import io.github.loragraph.fixtures.Fixtures;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.onnx.ValueInfo;
import io.github.loragraph.ort.OrtRuntime;
import io.github.loragraph.ort.SessionProfile;
import io.github.loragraph.ort.Sessions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Times of recorded profiles; the README beside them says how they were recorded. */
class CallTimesTest {
  private static String profile(String name) throws IOException {
    try (InputStream in = Fixtures.open("/profiles/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static CallTimes times(String profile) throws IOException {
    return CallTimes.of(
        SessionProfile.read(
            new ByteArrayInputStream(profile.getBytes(StandardCharsets.UTF_8)), "profile.json"));
  }

  @Test
  void timesAreThoseOfTheLastCall() throws Exception {
    CallTimes times = times(profile("cpu-step.json"));
    assertFalse(times.isTraced());
    assertEquals(736e-6, times.kernelSeconds(), 1e-9);
    assertEquals(88.0 / 736, times.matrixShare(), 1e-9);
    assertEquals(0, times.copySeconds());
  }

  /** Each product of the sample by hand; the weight of the first was packed and is not listed. */
  @Test
  void theWorkOfMatrixProductsIsCounted() throws Exception {
    double expected =
        2
            * (96 * 32 * 32
                + 16 * 24 * 24 * 8
                + 16 * 24 * 8 * 24
                + 4 * 4 * 32
                + 4 * 32 * 32
                + 4 * 32 * 2);
    assertEquals(expected, times(profile("cpu-step.json")).matrixFlops());
  }

  @Test
  void theTimeOfNodesInALoopCountsOnce() throws Exception {
    CallTimes times = times(profile("cpu-loop.json"));
    assertEquals(4 * 2.0 * 32 * 32 * 32, times.matrixFlops());
    assertTrue(times.kernelSeconds() < 351e-6, "the loop's own event took 351 microseconds");
  }

  @Test
  void onCudaTimesAreTheKernels() throws Exception {
    CallTimes times = times(profile("cuda-step.json"));
    assertEquals(1, times.copies());
    assertTrue(times.isTraced());
    assertEquals(7e-6, times.copySeconds(), 1e-9);
    assertEquals(84e-6, times.kernelSeconds(), 1e-9);
    assertTrue(times.matrixShare() > 0 && times.matrixShare() < 1);
  }

  @Test
  void aBuildThatDoesNotTraceTheGpuGivesTheTimesOfTheHost() throws Exception {
    CallTimes times =
        times(profile("cuda-step.json").replace("\"cat\":\"Kernel\"", "\"cat\":\"Other\""));
    assertFalse(times.isTraced());
    assertEquals(40e-6, times.copySeconds(), 1e-9);
    assertEquals(736e-6, times.kernelSeconds(), 1e-9);
  }

  @Test
  void theProductOfASessionOfThisBuildIsAllOfItsTime(@TempDir Path folder) throws Exception {
    Graph graph = new Graph();
    graph.addInput(ValueInfo.of("x", TensorType.of(ElementType.FLOAT, 16, 8)));
    GraphBuilder b = new GraphBuilder(graph, "/test");
    graph.putInitializer(Tensor.ofFloats("w", new float[8 * 16], 8, 16));
    String product = b.matMul("x", "w");
    graph.addOutput(ValueInfo.of(product, TensorType.of(ElementType.FLOAT, 16, 16)));
    OnnxModel model = OnnxModel.of("test", graph, 9, GraphBuilder.OPSET);
    ByteBuffer zeros = ByteBuffer.allocateDirect(16 * 8 * 4).order(ByteOrder.nativeOrder());
    OrtRun.run(
        model,
        List.of(new HostTensor("x", ElementType.FLOAT, new long[] {16, 8}, zeros)),
        new Sessions(OrtRuntime.ofThisProcess(), 1).withProfile(folder.resolve("p")));
    try (Stream<Path> files = Files.list(folder)) {
      CallTimes times = CallTimes.of(SessionProfile.read(files.findFirst().orElseThrow()));
      assertEquals(2.0 * 16 * 16 * 8, times.matrixFlops());
      assertEquals(1, times.matrixShare(), 1e-9);
    }
  }
}
