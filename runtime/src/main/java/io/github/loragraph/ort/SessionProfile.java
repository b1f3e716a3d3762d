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
import java.util.List;

/**
 * What ONNX Runtime recorded of a session that ran ({@link Sessions#withProfile}).
 *
 * @param nodes each run of a node, in the order in which they ended
 * @param deviceWork what a build that traces the GPU says of it; empty for other builds
 * @param lastCall when the last call of the session began, on the profile's clock
 */
public record SessionProfile(List<NodeRun> nodes, List<DeviceWork> deviceWork, long lastCall) {
  private static final String KERNEL_TIME = "_kernel_time";

  /**
   * A node that ran once.
   *
   * @param index of the node in its graph, as text
   * @param provider as {@link NodePlacement#CPU} and {@link NodePlacement#CUDA}
   * @param start in microseconds, on the profile's clock
   * @param inputs dimensions of what it read; weights that were packed are missing
   * @param outputs dimensions of what it wrote; what is no tensor is a scalar here
   */
  public record NodeRun(
      String name,
      String operator,
      String index,
      String provider,
      long start,
      long micros,
      List<long[]> inputs,
      List<long[]> outputs) {
    /** Whether it copies between host and device. */
    public boolean isCopy() {
      return operator.startsWith("Memcpy");
    }
  }

  /**
   * A kernel or a copy on the GPU.
   *
   * @param operator of the node that started it; may be empty
   */
  public record DeviceWork(String name, String operator, long start, long micros) {}

  /**
   * Reads a profile.
   *
   * @throws LoraGraphException if it cannot be read, or has no nodes
   */
  public static SessionProfile read(Path profile) {
    try (InputStream in = Files.newInputStream(profile)) {
      return read(in, profile.toString());
    } catch (IOException e) {
      throw new LoraGraphException("cannot read " + profile + ": " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Reads a profile from a stream, which stays open.
   *
   * @param name for messages
   * @throws LoraGraphException if it is none, or has no nodes
   */
  public static SessionProfile read(InputStream in, String name) throws IOException {
    List<NodeRun> nodes = new ArrayList<>();
    List<DeviceWork> deviceWork = new ArrayList<>();
    long lastCall = Long.MIN_VALUE;
    try (MappingIterator<JsonNode> events =
        new ObjectMapper().readerFor(JsonNode.class).readValues(in)) {
      while (events.hasNextValue()) {
        JsonNode event = events.nextValue();
        String category = event.path("cat").asText();
        String what = event.path("name").asText();
        JsonNode args = event.path("args");
        long start = event.path("ts").asLong();
        long micros = event.path("dur").asLong();
        if (category.equals("Session") && what.equals("model_run")) {
          lastCall = Math.max(lastCall, start);
        } else if (category.equals("Kernel")) {
          deviceWork.add(new DeviceWork(what, args.path("op_name").asText(), start, micros));
        } else if (category.equals("Node") && what.endsWith(KERNEL_TIME)) {
          nodes.add(
              new NodeRun(
                  what.substring(0, what.length() - KERNEL_TIME.length()),
                  args.path("op_name").asText(),
                  args.path("node_index").asText(),
                  args.path("provider").asText(),
                  start,
                  micros,
                  shapes(args.path("input_type_shape")),
                  shapes(args.path("output_type_shape"))));
        }
      }
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(name + " is no profile of ONNX Runtime: it is damaged", e);
    }
    if (nodes.isEmpty()) {
      throw new LoraGraphException(name + " has no nodes: it is no profile of a session that ran");
    }
    return new SessionProfile(List.copyOf(nodes), List.copyOf(deviceWork), lastCall);
  }

  /** Of shapes as profiles write them, {@code [{"float":[3,9]},{"int64":[]}]}. */
  private static List<long[]> shapes(JsonNode shapes) {
    List<long[]> result = new ArrayList<>();
    for (JsonNode shape : shapes) {
      List<Long> dims = new ArrayList<>();
      shape.forEach(byType -> byType.forEach(d -> dims.add(d.asLong())));
      result.add(dims.stream().mapToLong(Long::longValue).toArray());
    }
    return List.copyOf(result);
  }
}
