package io.github.loragraph.check;

import io.github.loragraph.cli.LoraGraph;
import io.github.loragraph.cli.Version;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.file.ProcFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the figures depend on besides the code. */
final class MachineFacts {
  private MachineFacts() {}

  /** Facts by what they are of. */
  static Map<String, String> of(CheckedDevice device) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("device", device.option());
    if (!device.isCpu()) {
      GpuMemory gpu = new GpuMemory(device.index());
      facts.put("GPU", gpu.query("name").orElse("unknown: nvidia-smi says nothing"));
      facts.put("GPU memory (MiB)", gpu.query("memory.total").orElse("unknown"));
      facts.put("driver", gpu.query("driver_version").orElse("unknown"));
    }
    facts.put("processor", ProcFile.field(ProcFile.CPU, "model name").orElse("unknown"));
    facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
    facts.put("memory", ProcFile.field(ProcFile.MEMORY, "MemTotal").orElse("unknown"));
    facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    facts.put("lora-graph", new Version().getVersion()[0].replace("lora-graph ", ""));
    facts.put("ONNX Runtime", onnxRuntime(device));
    facts.put("Java", System.getProperty("java.version"));
    return facts;
  }

  /** What {@code lora-graph doctor} prints; empty where this build has no such command. */
  static String doctor() {
    if (!LoraGraph.commandLine().getSubcommands().containsKey("doctor")) {
      return "";
    }
    try {
      return ChildProcess.run(ChildProcess.loraGraph(List.of("doctor")), null).output().strip();
    } catch (LoraGraphException e) {
      return "lora-graph doctor failed: " + e.getMessage();
    }
  }

  private static String onnxRuntime(CheckedDevice device) {
    try {
      return device.runtime().version();
    } catch (LoraGraphException e) {
      return "unknown: " + e.getMessage();
    }
  }
}
