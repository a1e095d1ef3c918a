// Faces by dlib, to compare kith with.
//
//     dlib ALBUM
//
// ALBUM is a folder of JPEG photos. Each is read at full size, as gray like in
// dlib's face_detection_ex, scaled down to a long side of 1280 pixels, as people
// do with photos of cameras, and searched by get_frontal_face_detector, which
// finds frontal faces from 80 pixels on. It is a HOG detector and needs no model
// file; dlib's CNN detector, landmarks and embedder do, so this is detection and
// nothing else.
//
// One line of JSON on standard output has the faces, the CPU and wall-clock
// seconds from the first photo to the last and the highest resident memory of
// the process in bytes. It needs Linux. BenchmarkPipelines of package index
// compiles and runs it.

#include <dlib/image_io.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_transforms.h>
#include <dlib/revision.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr double long_side = 1280;

double cpu_seconds() {
    rusage u;
    getrusage(RUSAGE_SELF, &u);
    auto seconds = [](const timeval& t) { return t.tv_sec + t.tv_usec / 1e6; };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

long peak() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        long kib;
        if (word == "VmHWM:" && status >> kib) return kib * 1024;
    }
    throw std::runtime_error("/proc/self/status has no VmHWM");
}

using gray = dlib::array2d<unsigned char>;

gray read(const std::filesystem::path& path, double& scale) {
    gray photo;
    dlib::load_image(photo, path.string());
    scale = std::max(1.0, std::max(photo.nc(), photo.nr()) / long_side);
    if (scale > 1) dlib::resize_image(1 / scale, photo);
    return photo;
}

int run(const char* album) {
    std::vector<std::filesystem::path> photos;
    for (const auto& entry : std::filesystem::directory_iterator(album)) photos.push_back(entry.path());
    std::sort(photos.begin(), photos.end());

    auto detector = dlib::get_frontal_face_detector();
    std::ostringstream faces;
    const char* comma = "";
    const double cpu = cpu_seconds();
    const auto wall = std::chrono::steady_clock::now();
    for (const auto& path : photos) {
        double scale;
        gray photo = read(path, scale);
        for (const auto& r : detector(photo)) {
            faces << comma << "{\"photo\":" << path.filename() << ",\"box\":[" << r.left() * scale << ","
                  << r.top() * scale << "," << r.width() * scale << "," << r.height() * scale << "]}";
            comma = ",";
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - wall;
    std::cout << "{\"version\":\"dlib " << DLIB_MAJOR_VERSION << "." << DLIB_MINOR_VERSION
              << "\",\"cpu_seconds\":" << cpu_seconds() - cpu << ",\"wall_seconds\":" << took.count()
              << ",\"rss_peak\":" << peak() << ",\"faces\":[" << faces.str() << "]}" << std::endl;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "dlib ALBUM" << std::endl;
        return 2;
    }
    try {
        return run(argv[1]);
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
        return 1;
    }
}
