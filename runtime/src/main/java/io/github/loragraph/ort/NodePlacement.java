package io.github.loragraph.ort;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.AtomicFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * On which execution provider each node of a session ran and where its time went, read from the
 * profile that ONNX Runtime writes ({@link Sessions#withProfile}).
 *
 * <p>A <b>compute node</b> is one that reads or writes the elements of a tensor of more than
 * {@value #SHAPE_ARITHMETIC} elements, whatever their type. What is not is shape arithmetic, and so
 * on: it belongs on the CPU, where ONNX Runtime puts it on purpose. Outputs alone would not do: a
 * gradient norm reads whole matrices and gives one number, and on the wrong side it costs a copy of
 * them. {@code Shape} and {@code Size} read no elements, so only their outputs count. Outputs that
 * are no tensors have no shape in a profile: such a node is judged by its inputs. {@code Loop},
 * {@code If} and {@code Scan} count as nodes, as they carry state; the nodes in their bodies have
 * events of their own, once for each round, and are one node each.
 *
 * <p><b>Times</b> are of the last call in the profile, so that what the first does once (memory,
 * choice of algorithms) is left out. A control-flow node's time is that of its body and is not
 * counted twice. Where the build traces the GPU ({@code Kernel} events), times are those of the
 * GPU; else those of the thread that runs the nodes, which on a GPU are what starting the work
 * took, not the work.
 */
public final class NodePlacement {
  /** The largest number of elements of what may be shape arithmetic. */
  public static final long SHAPE_ARITHMETIC = 64;

  /** As profiles name it. */
  public static final String CPU = "CPUExecutionProvider";

  /** As profiles name it. */
  public static final String CUDA = "CUDAExecutionProvider";

  private static final String KERNEL_TIME = "_kernel_time";
  private static final Set<String> CONTROL_FLOW = Set.of("Loop", "If", "Scan");
  private static final Set<String> READ_NO_ELEMENTS = Set.of("Shape", "Size");
  private static final Set<String> MATRIX_PRODUCTS =
      Set.of("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "FusedMatMulActivation", "Einsum");

  /** Between host and device; a copy within the device is work like any other. */
  private static final Set<String> TRACED_COPIES =
      Set.of("MemcpyHostToDevice", "MemcpyDeviceToHost");

  private static final int NAMED = 3;

  /**
   * A node that ran.
   *
   * @param elements of the largest tensor that makes it a compute node or not
   */
  public record PlacedNode(String name, String operator, String provider, long elements) {
    boolean computes() {
      return elements > SHAPE_ARITHMETIC && !isCopy(operator);
    }
  }

  /** Something that took time: a node on the host, or a kernel or a copy on the device. */
  private record Span(String operator, long start, long micros, boolean copy, double flops) {}

  private final Map<List<String>, PlacedNode> nodes = new LinkedHashMap<>();
  private final List<Span> host = new ArrayList<>();
  private final List<Span> device = new ArrayList<>();
  private long lastCall = Long.MIN_VALUE;

  private NodePlacement() {}

  /**
   * Reads a profile.
   *
   * @throws LoraGraphException if it cannot be read, or has no nodes
   */
  public static NodePlacement read(Path profile) {
    try (InputStream in = Files.newInputStream(profile)) {
      return read(in, profile.toString());
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + profile + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Reads a profile.
   *
   * @param name for messages
   * @throws LoraGraphException if it is none, or has no nodes
   */
  static NodePlacement read(InputStream in, String name) throws IOException {
    NodePlacement placement = new NodePlacement();
    try (MappingIterator<JsonNode> events =
        new ObjectMapper().readerFor(JsonNode.class).readValues(in)) {
      while (events.hasNextValue()) {
        placement.add(events.nextValue());
      }
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(name + " is no profile of ONNX Runtime: it is damaged", e);
    }
    if (placement.nodes.isEmpty()) {
      throw new LoraGraphException(name + " has no nodes: it is no profile of a session that ran");
    }
    return placement;
  }

  private void add(JsonNode event) {
    String category = event.path("cat").asText();
    String name = event.path("name").asText();
    JsonNode args = event.path("args");
    long start = event.path("ts").asLong();
    long micros = event.path("dur").asLong();
    String operator = args.path("op_name").asText();
    if (category.equals("Session") && name.equals("model_run")) {
      lastCall = Math.max(lastCall, start);
    } else if (category.equals("Kernel")) {
      device.add(new Span(operator, start, micros, TRACED_COPIES.contains(name), 0));
    } else if (category.equals("Node") && name.endsWith(KERNEL_TIME)) {
      String provider = args.path("provider").asText();
      String node = name.substring(0, name.length() - KERNEL_TIME.length());
      PlacedNode placed = new PlacedNode(node, operator, provider, elements(operator, args));
      // Names repeat in bodies, and a body counts its nodes anew.
      nodes.merge(
          List.of(node, operator, args.path("node_index").asText(), provider),
          placed,
          (a, b) -> a.elements() >= b.elements() ? a : b);
      host.add(new Span(operator, start, micros, isCopy(operator), flops(operator, args)));
    }
  }

  private static boolean isCopy(String operator) {
    return operator.startsWith("Memcpy");
  }

  private static long elements(String operator, JsonNode args) {
    JsonNode outputs = args.path("output_type_shape");
    long written = largest(outputs);
    return READ_NO_ELEMENTS.contains(operator)
        ? written
        : Math.max(written, largest(args.path("input_type_shape")));
  }

  /** Of shapes as profiles write them, {@code [{"float":[3,9]},{"int64":[]}]}. */
  private static long largest(JsonNode shapes) {
    long largest = 0;
    for (JsonNode shape : shapes) {
      largest = Math.max(largest, count(dims(shape)));
    }
    return largest;
  }

  private static long[] dims(JsonNode shape) {
    List<Long> dims = new ArrayList<>();
    for (JsonNode byType : shape) {
      byType.forEach(d -> dims.add(d.asLong()));
    }
    return dims.stream().mapToLong(Long::longValue).toArray();
  }

  private static long count(long[] dims) {
    long count = 1;
    for (long d : dims) {
      count *= d;
    }
    return count;
  }

  /** Additions and multiplications of a matrix product; 0 for what is none. */
  private static double flops(String operator, JsonNode args) {
    JsonNode inputs = args.path("input_type_shape");
    JsonNode outputs = args.path("output_type_shape");
    // The formula of an Einsum is not in the profile.
    if (!MATRIX_PRODUCTS.contains(operator)
        || operator.equals("Einsum")
        || inputs.isEmpty()
        || outputs.isEmpty()) {
      return 0;
    }
    // Only the first input is sure to be there: packed weights are missing from the list. Whether
    // it is transposed is not in the profile; its size does not depend on it.
    long[] a = dims(inputs.get(0));
    long[] product = dims(outputs.get(0));
    if (count(product) == 0 || product.length < 2) {
      return 2.0 * count(a);
    }
    long rows = product[product.length - 2];
    long columns = product[product.length - 1];
    long inner = a.length <= 2 ? count(a) / rows : count(a) * columns / count(product);
    return 2.0 * count(product) * inner;
  }

  /** All nodes that ran, each once. */
  public List<PlacedNode> nodes() {
    return List.copyOf(nodes.values());
  }

  /** The number of compute nodes by provider. */
  public Map<String, Integer> computeNodes() {
    Map<String, Integer> counts = new TreeMap<>();
    for (PlacedNode node : nodes.values()) {
      if (node.computes()) {
        counts.merge(node.provider(), 1, Integer::sum);
      }
    }
    return counts;
  }

  /** The compute nodes that ran elsewhere than on a provider. */
  public List<PlacedNode> fallenFrom(String provider) {
    return nodes.values().stream()
        .filter(node -> node.computes() && !node.provider().equals(provider))
        .toList();
  }

  /**
   * Holds that all compute nodes ran on a provider.
   *
   * @throws LoraGraphException if some did not; it names the first of them
   */
  public void requireAllOn(String provider) {
    List<PlacedNode> fallen = fallenFrom(provider);
    if (fallen.isEmpty()) {
      return;
    }
    String first =
        fallen.stream()
            .limit(NAMED)
            .map(n -> "'%s' (%s, on %s)".formatted(n.name(), n.operator(), n.provider()))
            .collect(Collectors.joining(", "));
    throw new LoraGraphException(
        "%,d of %,d compute nodes did not run on %s: %s%s"
            .formatted(
                fallen.size(),
                computeNodes().values().stream().mapToInt(Integer::intValue).sum(),
                provider,
                first,
                fallen.size() > NAMED ? " and others" : ""));
  }

  /** Nodes that copy between host and device. */
  public int copyNodes() {
    return (int) nodes.values().stream().filter(n -> isCopy(n.operator())).count();
  }

  /** Whether times are the GPU's own. */
  public boolean isTraced() {
    return !device.isEmpty();
  }

  /** How often {@link #copyNodes} ran in the last call. */
  public long copies() {
    return host.stream().filter(s -> isInLastCall(s) && s.copy()).count();
  }

  /** What copies between host and device took in the last call. */
  public double copySeconds() {
    return spans().filter(Span::copy).mapToLong(Span::micros).sum() / 1e6;
  }

  /** What computing took in the last call. */
  public double kernelSeconds() {
    return spans().filter(s -> !s.copy()).mapToLong(Span::micros).sum() / 1e6;
  }

  /** Which part of {@link #kernelSeconds} went into matrix products, 0 to 1. */
  public double matrixShare() {
    double matrix =
        spans()
                .filter(s -> !s.copy() && MATRIX_PRODUCTS.contains(s.operator()))
                .mapToLong(Span::micros)
                .sum()
            / 1e6;
    double all = kernelSeconds();
    return all == 0 ? 0 : matrix / all;
  }

  /** Additions and multiplications of all matrix products in the last call, without Einsum. */
  public double matrixFlops() {
    return host.stream().filter(this::isInLastCall).mapToDouble(Span::flops).sum();
  }

  private Stream<Span> spans() {
    return (device.isEmpty() ? host : device)
        .stream().filter(s -> isInLastCall(s) && !CONTROL_FLOW.contains(s.operator()));
  }

  private boolean isInLastCall(Span span) {
    return span.start() >= lastCall;
  }
}
