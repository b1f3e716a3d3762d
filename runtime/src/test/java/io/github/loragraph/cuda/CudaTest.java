package io.github.loragraph.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is found on machines of many kinds, and what is said of them. */
class CudaTest {
  private static final String CUDA_13 = "/usr/local/cuda-13.0/lib64";
  private static final String CUDA_12 = "/usr/local/cuda-12.8/targets/x86_64-linux/lib";
  private static final String SYSTEM = "/usr/lib/x86_64-linux-gnu";

  private static RecordedMachine cuda13(RecordedMachine machine) {
    return machine
        .libraries(CUDA_13, "libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13")
        .linked("libcudnn.so.9", SYSTEM);
  }

  private static RecordedMachine cuda12WithoutCudnn(RecordedMachine machine) {
    return machine.libraries(
        CUDA_12, "libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10");
  }

  private static String missing(RecordedMachine machine) {
    String line = Cuda.of(machine).missing().orElseThrow();
    assertEquals(1, line.lines().count(), line);
    return line;
  }

  @Test
  void nothing() {
    Cuda cuda = Cuda.of(RecordedMachine.bare());
    assertEquals(Optional.empty(), cuda.driver());
    assertEquals(List.of(), cuda.gpus());
    assertEquals(
        Optional.of(
            "no NVIDIA driver found (nvidia-smi and libcuda.so.1 are missing): install one"),
        cuda.missing());
    LoraGraphException failure = assertThrows(LoraGraphException.class, cuda::require);
    assertEquals(
        "no NVIDIA driver found (nvidia-smi and libcuda.so.1 are missing): install one, or use the CPU",
        failure.getMessage());
  }

  @Test
  void driverOnly() {
    RecordedMachine machine = RecordedMachine.withDriver("580.65.06", "13.0");
    Cuda cuda = Cuda.of(machine);
    assertEquals(Optional.of(new Driver("580.65.06", Optional.of("13.0"))), cuda.driver());
    assertEquals(List.of(new Gpu(0, "NVIDIA L4", 23034, Optional.of("8.9"))), cuda.gpus());
    assertEquals(Optional.of(CudaVersion.CUDA_13), cuda.version());
    assertEquals(
        "libraries of CUDA 13 are missing: libcudart.so.13, libcublasLt.so.13, libcublas.so.13, libcudnn.so.9 (cuDNN 9): install them, or name their folder in LD_LIBRARY_PATH",
        missing(machine));
  }

  @Test
  void cuda12WithoutCudnn() {
    RecordedMachine machine = cuda12WithoutCudnn(RecordedMachine.withDriver("580.65.06", "13.0"));
    assertEquals(Optional.of(CudaVersion.CUDA_12), Cuda.of(machine).version());
    assertEquals(
        "libraries of CUDA 12 are missing: libcudnn.so.9 (cuDNN 9): install them, or name their folder in LD_LIBRARY_PATH",
        missing(machine));
  }

  @Test
  void cuda13CompleteButNotInstalled() {
    RecordedMachine machine = cuda13(RecordedMachine.withDriver("580.65.06", "13.0"));
    assertEquals("ONNX Runtime's build for CUDA 13 is not installed", missing(machine));
  }

  @Test
  void cuda13Complete() {
    RecordedMachine machine =
        cuda13(RecordedMachine.withDriver("580.65.06", "13.0"))
            .libraries(CUDA_13, "libnvrtc.so.13")
            .installed(CudaVersion.CUDA_13);
    Cuda cuda = Cuda.of(machine);
    assertEquals(Optional.empty(), cuda.missing());
    assertEquals(Natives.cached(machine, CudaVersion.CUDA_13), cuda.require().folder());
    assertTrue(
        cuda.require()
            .folder()
            .toString()
            .matches(RecordedMachine.CACHE + "/native/cuda13-linux-x86_64-[0-9.-]+"),
        cuda.require().folder().toString());
    // cuDNN and the driver's library are the dynamic linker's own business.
    assertEquals(
        List.of(
            Path.of(CUDA_13, "libcudart.so.13"),
            Path.of(CUDA_13, "libcublasLt.so.13"),
            Path.of(CUDA_13, "libcublas.so.13"),
            Path.of(CUDA_13, "libnvrtc.so.13")),
        cuda.preload());
  }

  @Test
  void aCompleteReleaseGoesBeforeAnInstalledOne() {
    RecordedMachine machine =
        cuda12WithoutCudnn(RecordedMachine.withDriver("580.65.06", "13.0"))
            .linked("libcudnn.so.9", SYSTEM)
            .installed(CudaVersion.CUDA_13);
    assertEquals(Optional.of(CudaVersion.CUDA_12), Cuda.of(machine).version());
    assertTrue(missing(machine).contains("CUDA 12 is not installed"), missing(machine));
  }

  @Test
  void ofTwoCompleteReleasesTheInstalledOneThenTheNewest() {
    RecordedMachine machine =
        cuda13(cuda12WithoutCudnn(RecordedMachine.withDriver("580.65.06", "13.0")));
    assertEquals(Optional.of(CudaVersion.CUDA_13), Cuda.of(machine).version());
    machine.installed(CudaVersion.CUDA_12);
    assertEquals(Optional.of(CudaVersion.CUDA_12), Cuda.of(machine).version());
    assertEquals(Optional.empty(), Cuda.of(machine).missing());
  }

  @Test
  void twoGpus() {
    RecordedMachine machine =
        RecordedMachine.withDriver("580.65.06", "13.0")
            .says(
                RecordedMachine.query("index,name,memory.total,compute_cap"),
                "0, NVIDIA H100 80GB HBM3, 81559, 9.0\n1, Tesla T4, 15360, 7.5\n");
    Gpu h100 = new Gpu(0, "NVIDIA H100 80GB HBM3", 81559, Optional.of("9.0"));
    Gpu t4 = new Gpu(1, "Tesla T4", 15360, Optional.of("7.5"));
    assertEquals(List.of(h100, t4), Cuda.of(machine).gpus());
    assertEquals(
        "cuda:0 NVIDIA H100 80GB HBM3, 81,559 MB, compute capability 9.0", h100.toString());

    machine.set("CUDA_VISIBLE_DEVICES", "1");
    assertEquals(
        List.of(new Gpu(0, "Tesla T4", 15360, Optional.of("7.5"))), Cuda.of(machine).gpus());
    machine.set("CUDA_VISIBLE_DEVICES", "1,0");
    assertEquals("Tesla T4", Cuda.of(machine).gpus().get(0).name());
    machine.set("CUDA_VISIBLE_DEVICES", "GPU-8f2c1d0e");
    assertEquals(2, Cuda.of(machine).gpus().size());
    machine.set("CUDA_VISIBLE_DEVICES", "-1");
    assertEquals("CUDA_VISIBLE_DEVICES=-1 hides every GPU: unset it", missing(machine));
  }

  @Test
  void aDriverThatIsTooOld() {
    RecordedMachine machine =
        cuda13(RecordedMachine.withDriver("470.82.01", "11.4")).installed(CudaVersion.CUDA_13);
    assertEquals(Optional.empty(), Cuda.of(machine).version());
    assertEquals(
        "the NVIDIA driver 470.82.01 (CUDA up to 11.4) is too old for CUDA 12: update it to 525 or newer",
        missing(machine));
  }

  @Test
  void aDriverThatIsTooOldForTheReleaseThatIsThere() {
    RecordedMachine machine = cuda13(RecordedMachine.withDriver("550.54.15", "12.4"));
    assertEquals(Optional.of(CudaVersion.CUDA_12), Cuda.of(machine).version());
    assertTrue(missing(machine).startsWith("libraries of CUDA 12 are missing"), missing(machine));
  }

  @Test
  void aDriverWithoutSmi() {
    RecordedMachine machine =
        RecordedMachine.bare()
            .text(
                "/proc/driver/nvidia/version",
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (dvs-builder)  Thu Jan 23 22:50:36 UTC 2025\nGCC version:  gcc version 12.3.0\n")
            .text(
                "/proc/driver/nvidia/gpus/0000:01:00.0/information",
                "Model: \t\t NVIDIA L4\nIRQ:   \t\t 35\n")
            .linked("libcuda.so.1", SYSTEM);
    Cuda cuda = Cuda.of(machine);
    assertEquals(Optional.of(new Driver("570.86.15", Optional.empty())), cuda.driver());
    assertEquals(List.of(new Gpu(0, "NVIDIA L4", 0, Optional.empty())), cuda.gpus());
    assertEquals(Optional.of(CudaVersion.CUDA_12), cuda.version());
    assertTrue(
        Driver.ofModule("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27")
            .orElseThrow()
            .supports(CudaVersion.CUDA_13));
  }

  @Test
  void anOlderSmiWithoutComputeCapability() {
    RecordedMachine machine =
        RecordedMachine.withDriver("550.54.15", "12.4")
            .says(
                RecordedMachine.query("index,name,memory.total,compute_cap"),
                2,
                "Field \"compute_cap\" is not a valid field to query.\n")
            .says(RecordedMachine.query("index,name,memory.total"), "0, Tesla V100, [N/A]\n");
    assertEquals(List.of(new Gpu(0, "Tesla V100", 0, Optional.empty())), Cuda.of(machine).gpus());
  }

  @Test
  void aNewerSmiWithOtherWords() {
    assertEquals(
        Optional.of(new Driver("590.44.01", Optional.of("13.1"))),
        Driver.ofSmi(
            "| NVIDIA-SMI 590.44.01    KMD Version: 590.44.01     CUDA UMD Version: 13.1     |"));
  }

  @Test
  void aDriverThatDoesNotAnswer() {
    RecordedMachine machine =
        RecordedMachine.bare()
            .says(
                "nvidia-smi",
                9,
                "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n");
    assertEquals(
        "no NVIDIA driver answers (nvidia-smi says: NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.): mend or install it",
        missing(machine));
  }

  @Test
  void containersThatGotLessThanTheMachineHas() {
    assertTrue(
        missing(RecordedMachine.bare().linked("libcuda.so.1", SYSTEM)).contains("--gpus all"));
    RecordedMachine noLibrary =
        RecordedMachine.withDriver("580.65.06", "13.0").without("/sbin/ldconfig -p");
    assertTrue(
        missing(noLibrary).startsWith("the NVIDIA driver 580.65.06 is there, but not its library"),
        missing(noLibrary));
    RecordedMachine noGpu =
        RecordedMachine.withDriver("580.65.06", "13.0")
            .says(RecordedMachine.query("index,name,memory.total,compute_cap"), "");
    assertTrue(missing(noGpu).contains("finds no GPU"), missing(noGpu));
  }

  @Test
  void placesOfLibraries() {
    RecordedMachine machine =
        RecordedMachine.withDriver("580.65.06", "13.0")
            .set("LD_LIBRARY_PATH", ":/opt/first:/opt/second")
            .set("CUDA_HOME", "/opt/cuda")
            .set("CUDNN_PATH", "/opt/cudnn")
            .libraries("/opt/second", "libcudart.so.13")
            .libraries("/usr/local/cuda/lib64", "libcudart.so.13", "libcublas.so.13")
            .libraries("/usr/local/cuda-13.1/lib64", "libcublas.so.13")
            .libraries("/opt/cuda/targets/x86_64-linux/lib", "libcublasLt.so.13")
            .libraries("/opt/cudnn/lib", "libcudnn.so.9")
            .installed(CudaVersion.CUDA_13);
    Cuda cuda = Cuda.of(machine);
    assertEquals(Optional.empty(), cuda.missing());
    assertEquals(
        new Library("libcudart.so.13", Optional.of(Path.of("/opt/second/libcudart.so.13")), true),
        cuda.libraries().get(0).needed().get(0));
    assertEquals(
        List.of(
            Path.of("/opt/cuda/targets/x86_64-linux/lib/libcublasLt.so.13"),
            Path.of("/usr/local/cuda/lib64/libcublas.so.13"),
            Path.of("/opt/cudnn/lib/libcudnn.so.9")),
        cuda.preload());
  }

  @Test
  void aBuildOfOnesOwn() {
    RecordedMachine machine =
        cuda13(cuda12WithoutCudnn(RecordedMachine.withDriver("580.65.06", "13.0")))
            .installed(CudaVersion.CUDA_13)
            .set(Natives.VARIABLE, "/bundle");
    assertTrue(
        missing(machine).startsWith("LORA_GRAPH_CUDA names /bundle, which lacks libonnxruntime.so"),
        missing(machine));
    machine.build("/bundle", 12);
    assertEquals(Optional.empty(), Cuda.of(machine).missing());
    assertEquals(Path.of("/bundle"), Cuda.of(machine).require().folder());
    assertEquals(Optional.of(CudaVersion.CUDA_12), Cuda.of(machine).version());
    machine.build("/bundle", 11);
    assertTrue(missing(machine).contains("for neither CUDA 12 nor CUDA 13"), missing(machine));
  }

  @Test
  void aBuildOfOnesOwnThatTheDriverIsTooOldFor() {
    RecordedMachine machine =
        cuda13(RecordedMachine.withDriver("550.54.15", "12.4"))
            .set(Natives.VARIABLE, "/bundle")
            .build("/bundle", 13);
    assertEquals(
        "the NVIDIA driver 550.54.15 (CUDA up to 12.4) is too old for CUDA 13: update it to 580 or newer",
        missing(machine));
  }

  @Test
  void aBundleMayBringTheLibraries() {
    RecordedMachine machine =
        RecordedMachine.withDriver("580.65.06", "13.0")
            .set(Natives.VARIABLE, "/bundle")
            .build("/bundle", 13)
            .libraries("/bundle", CudaVersion.CUDA_13.libraries().toArray(String[]::new));
    assertEquals(Optional.empty(), Cuda.of(machine).missing());
    assertEquals(4, Cuda.of(machine).preload().size());
  }

  @Test
  void otherSystems() {
    assertEquals(
        "there is no CUDA build of ONNX Runtime for Mac OS X aarch64 here: take a machine with Linux on x86-64",
        missing(RecordedMachine.of("Mac OS X", "aarch64")));
    assertTrue(missing(RecordedMachine.of("Linux", "aarch64")).contains("no CUDA build"));
  }
}
